/** An iteration of a contact as WebAssembly: what `solveContact` does, operation by operation. */
import { type Draft, keep, openDraft, vary, within, write } from './draft.ts';
import { CONTACT, CONTACT_LINKS, POINT_SIZE } from './solver-layout.ts';
import {
  add,
  and,
  type Code,
  I32,
  integer,
  isAtLeast,
  isEqualInteger,
  load,
  loadInteger,
  max,
  mul,
  negate,
  not,
  number,
  store,
  sub,
  type Variable,
  type Variables,
  when,
  whenElse,
} from './wasm.ts';

/** What the parts of the code share. */
interface Push {
  /** Of the record. */
  readonly at: Code;
  readonly impulses: Code;
  readonly nx: Code;
  readonly ny: Code;
  readonly mass: Code;
  readonly inertia: Code;
  /** Velocity of the body. */
  readonly vx: Variable;
  readonly vy: Variable;
  readonly w: Variable;
}

const of = (at: Code, name: keyof typeof CONTACT, point = 0) => load(at, CONTACT[name] + point * POINT_SIZE);

/** @param at address of the record. */
export function contactCode(variables: Variables, at: Code): Code {
  const draft = openDraft(variables);
  const link = (k: number) => keep(draft, loadInteger(at, CONTACT_LINKS + 4 * k), I32);
  const [b, impulses, numHeld] = [link(0), link(1), link(2)];
  const push: Push = {
    at,
    impulses,
    nx: keep(draft, of(at, 'normalX')),
    ny: keep(draft, of(at, 'normalY')),
    mass: keep(draft, of(at, 'inverseMass')),
    inertia: keep(draft, of(at, 'inverseInertia')),
    vx: vary(draft, load(b, 0)),
    vy: vary(draft, load(b, 1)),
    w: vary(draft, load(b, 2)),
  };
  const both = [...rubCode(variables, push, 1), ...bothCode(variables, push)];
  write(
    draft,
    rubCode(variables, push, 0),
    whenElse(isEqualInteger(numHeld, integer(2)), both, oneCode(variables, push)),
    store(b, 0, push.vx.get),
    store(b, 1, push.vy.get),
    store(b, 2, push.w.get),
  );
  return draft.lines;
}

/** Velocity of a point of the body along a direction. */
function along({ vx, vy, w }: Push, armX: Code, armY: Code, x: Code, y: Code): Code {
  return add(mul(sub(vx.get, mul(w.get, armY)), x), mul(add(vy.get, mul(w.get, armX)), y));
}

/** An impulse along a direction at a point. */
function pushCode(
  draft: Draft,
  { vx, vy, w, mass, inertia }: Push,
  arm: readonly [Code, Code],
  p: readonly [Code, Code],
): void {
  const [px, py] = p.map((part) => keep(draft, part));
  const turn = mul(inertia, sub(mul(arm[0], py), mul(arm[1], px)));
  write(
    draft,
    vx.set(add(vx.get, mul(mass, px))),
    vy.set(add(vy.get, mul(mass, py))),
    w.set(add(w.get, turn)),
  );
}

/** Friction at a point. */
function rubCode(variables: Variables, push: Push, point: number): Code {
  const draft = openDraft(variables);
  const { at, impulses, nx, ny } = push;
  const [armX, armY] = [keep(draft, of(at, 'armX', point)), keep(draft, of(at, 'armY', point))];
  const before = keep(draft, load(impulses, 2 * point + 1));
  const most = keep(draft, mul(of(at, 'friction'), load(impulses, 2 * point)));
  const speed = along(push, armX, armY, ny, negate(nx));
  const wanted = keep(draft, add(before, mul(of(at, 'tangentMass', point), negate(speed))));
  const after = keep(draft, within(wanted, most));
  write(draft, store(impulses, 2 * point + 1, after));
  const change = keep(draft, sub(after, before));
  pushCode(draft, push, [armX, armY], [mul(change, ny), mul(change, negate(nx))]);
  return draft.lines;
}

/** The normal impulse of a contact in one point. */
function oneCode(variables: Variables, push: Push): Code {
  const draft = openDraft(variables);
  const { at, impulses, nx, ny } = push;
  const [armX, armY] = [keep(draft, of(at, 'armX')), keep(draft, of(at, 'armY'))];
  const before = keep(draft, load(impulses, 0));
  const change = mul(negate(of(at, 'normalMass')), along(push, armX, armY, nx, ny));
  const after = keep(draft, max(add(before, change), number(0)));
  write(draft, store(impulses, 0, after));
  const by = keep(draft, sub(after, before));
  pushCode(draft, push, [armX, armY], [mul(by, nx), mul(by, ny)]);
  return draft.lines;
}

/** Both normal impulses at once: the first of four cases that holds. */
function bothCode(variables: Variables, push: Push): Code {
  const draft = openDraft(variables);
  const { at, impulses, nx, ny, mass, inertia, vx, vy, w } = push;
  const get = (name: keyof typeof CONTACT, point = 0) => keep(draft, of(at, name, point));
  const [arm1X, arm1Y, arm2X, arm2Y] = [get('armX'), get('armY'), get('armX', 1), get('armY', 1)];
  const before1 = keep(draft, load(impulses, 0));
  const before2 = keep(draft, load(impulses, 2));
  const dot = (p: Code, q: Code, r: Code, s: Code) => add(mul(p, q), mul(r, s));
  const [k12, inverse12] = [get('k12'), get('inverse12')];
  const apart1 = along(push, arm1X, arm1Y, nx, ny);
  const apart2 = along(push, arm2X, arm2Y, nx, ny);
  const b1 = keep(draft, sub(apart1, dot(of(at, 'k11'), before1, k12, before2)));
  const b2 = keep(draft, sub(apart2, dot(k12, before1, of(at, 'k22'), before2)));
  const x1 = vary(draft, negate(dot(of(at, 'inverse11'), b1, inverse12, b2)));
  const x2 = vary(draft, negate(dot(inverse12, b1, of(at, 'inverse22'), b2)));
  const zero = number(0);
  const fails = (p: Code, q: Code) => not(and(isAtLeast(p, zero), isAtLeast(q, zero)));
  const stay = when(fails(b1, b2), x1.set(before1), x2.set(before2)); // no solution, by rounding
  const neither = when(fails(x2.get, add(mul(k12, x2.get), b1)), x2.set(zero), stay);
  const second = [...x1.set(zero), ...x2.set(mul(negate(of(at, 'normalMass', 1)), b2)), ...neither];
  const notSecond = when(fails(x1.get, add(mul(k12, x1.get), b2)), second);
  const first = x1.set(mul(negate(of(at, 'normalMass')), b1));
  write(
    draft,
    when(fails(x1.get, x2.get), first, x2.set(zero), notSecond),
    store(impulses, 0, x1.get),
    store(impulses, 2, x2.get),
  );
  const [by1, by2] = [keep(draft, sub(x1.get, before1)), keep(draft, sub(x2.get, before2))];
  const [p1x, p1y] = [keep(draft, mul(by1, nx)), keep(draft, mul(by1, ny))];
  const [p2x, p2y] = [keep(draft, mul(by2, nx)), keep(draft, mul(by2, ny))];
  const turn1 = sub(mul(arm1X, p1y), mul(arm1Y, p1x));
  const turn2 = sub(mul(arm2X, p2y), mul(arm2Y, p2x));
  write(
    draft,
    vx.set(add(dot(mass, p1x, mass, p2x), vx.get)),
    vy.set(add(dot(mass, p1y, mass, p2y), vy.get)),
    w.set(add(w.get, mul(inertia, add(turn1, turn2)))),
  );
  return draft.lines;
}
