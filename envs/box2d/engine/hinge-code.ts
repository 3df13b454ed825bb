/** An iteration of a hinge as WebAssembly: what `solveHinge` does, operation by operation. */
import { type Draft, keep, openDraft, vary, within, write } from './draft.ts';
import { HINGE, HINGE_LINKS } from './solver-layout.ts';
import {
  add,
  type Code,
  choose,
  I32,
  integer,
  isDifferent,
  isLess,
  isMore,
  load,
  loadInteger,
  mul,
  negate,
  number,
  plus,
  store,
  sub,
  type Variable,
  type Variables,
  when,
  whenElse,
} from './wasm.ts';

type Name = keyof typeof HINGE;

/** What the parts of the code share. */
interface Hold {
  /** Of the record. */
  readonly at: Code;
  readonly impulses: Code;
  /** Velocities of the anchors, and of the angle, of B against A. */
  readonly x: Code;
  readonly y: Code;
  readonly z: Code;
  /** The impulse. */
  readonly px: Variable;
  readonly py: Variable;
  readonly pz: Variable;
  /** Where no limit holds: what the impulse has to do. */
  readonly wantedX: Variable;
  readonly wantedY: Variable;
  readonly isFree: Variable;
}

/** @param at address of the record. */
export function hingeCode(variables: Variables, at: Code): Code {
  const draft = openDraft(variables);
  const link = (k: number) => keep(draft, loadInteger(at, HINGE_LINKS + 4 * k), I32);
  const of = (name: Name) => keep(draft, load(at, HINGE[name]));
  const [a, b, impulses] = [link(0), link(1), link(2)];
  const [inertiaA, inertiaB] = [of('inverseInertiaA'), of('inverseInertiaB')];
  const [spinA, spinB] = [keep(draft, load(a, 2)), keep(draft, load(b, 2))];
  const turn = motorCode(draft, at, impulses, sub(spinB, spinA));
  const wA = keep(draft, sub(spinA, mul(inertiaA, turn)));
  const wB = keep(draft, add(spinB, mul(inertiaB, turn)));
  const [vAX, vAY, vBX, vBY] = [load(a, 0), load(a, 1), load(b, 0), load(b, 1)].map((v) => keep(draft, v));
  const [armAX, armAY, armBX, armBY] = [of('armAX'), of('armAY'), of('armBX'), of('armBY')];
  const x = keep(draft, sub(sub(vBX, mul(wB, armBY)), sub(vAX, mul(wA, armAY))));
  const y = keep(draft, sub(add(vBY, mul(wB, armBX)), add(vAY, mul(wA, armAX))));
  const { px, py, pz } = holdCode(draft, { at, impulses, x, y, z: sub(wB, wA) });
  const [massA, massB] = [of('inverseMassA'), of('inverseMassB')];
  const turnOf = (armX: Code, armY: Code) => add(sub(mul(armX, py), mul(armY, px)), pz);
  write(
    draft,
    store(impulses, 0, add(load(impulses, 0), px)),
    store(impulses, 1, add(load(impulses, 1), py)),
    store(a, 0, sub(vAX, mul(massA, px))),
    store(a, 1, sub(vAY, mul(massA, py))),
    store(a, 2, sub(wA, mul(inertiaA, turnOf(armAX, armAY)))),
    store(b, 0, add(vBX, mul(massB, px))),
    store(b, 1, add(vBY, mul(massB, py))),
    store(b, 2, add(wB, mul(inertiaB, turnOf(armBX, armBY)))),
  );
  return draft.lines;
}

/** The motor's impulse of this iteration; its sum is bounded. */
function motorCode(draft: Draft, at: Code, impulses: Code, spin: Code): Code {
  const of = (name: Name) => load(at, HINGE[name]);
  const before = keep(draft, load(impulses, 3));
  const most = keep(draft, of('maxImpulse'));
  const change = mul(negate(of('motorMass')), sub(spin, of('motorSpeed')));
  const after = keep(draft, within(keep(draft, add(before, change)), most));
  write(draft, store(impulses, 3, after));
  return keep(draft, sub(after, before));
}

/** The impulse that holds the anchors together, at a limit with the angle. */
function holdCode(draft: Draft, given: Pick<Hold, 'at' | 'impulses' | 'x' | 'y' | 'z'>) {
  const zero = number(0);
  const { at, x, y } = given;
  const hold: Hold = {
    ...given,
    px: vary(draft, zero),
    py: vary(draft, zero),
    pz: vary(draft, zero),
    wantedX: vary(draft, negate(x)),
    wantedY: vary(draft, negate(y)),
    isFree: vary(draft, integer(1), I32),
  };
  const of = (name: Name) => load(at, HINGE[name]);
  const { px, py, pz, wantedX, wantedY, isFree } = hold;
  write(
    draft,
    when(isDifferent(of('limit'), zero), limitCode(draft.variables, hold)),
    when(
      isFree.get,
      px.set(mul(of('scale2'), sub(mul(of('k22'), wantedX.get), mul(of('k12'), wantedY.get)))),
      py.set(mul(of('scale2'), sub(mul(of('k11'), wantedY.get), mul(of('k12'), wantedX.get)))),
    ),
  );
  return { px: px.get, py: py.get, pz: pz.get };
}

/** Point and angle together by Cramer's rule, unless the limit would have to pull. */
function limitCode(variables: Variables, hold: Hold): Code {
  const draft = openDraft(variables);
  const { at, impulses, x, y, px, py, pz, wantedX, wantedY, isFree } = hold;
  const of = (name: Name) => keep(draft, load(at, HINGE[name]));
  const z = keep(draft, hold.z);
  const [k11, k12, k13] = [of('k11'), of('k12'), of('k13')];
  const [k22, k23, k33] = [of('k22'), of('k23'), of('k33')];
  const [crossX, crossY, crossZ, scale] = [of('crossX'), of('crossY'), of('crossZ'), of('scale3')];
  const minor = (p: Code, q: Code, r: Code, s: Code) => sub(mul(p, q), mul(r, s));
  const row = (first: Code, second: Code, third: Code) =>
    negate(mul(scale, plus(mul(k11, first), mul(k12, second), mul(k13, third))));
  write(draft, pz.set(row(minor(k22, z, k23, y), minor(k23, x, k12, z), minor(k12, y, k22, x))));
  const before = keep(draft, load(impulses, 2));
  const sum = keep(draft, add(before, pz.get));
  const zero = number(0);
  const pulls = choose(isLess(of('limit'), zero), isLess(sum, zero), isMore(sum, zero));
  const free = [
    wantedX.set(add(wantedX.get, mul(before, k13))),
    wantedY.set(add(wantedY.get, mul(before, k23))),
    pz.set(negate(before)),
    store(impulses, 2, zero),
  ];
  const held = [
    px.set(negate(mul(scale, plus(mul(x, crossX), mul(y, crossY), mul(z, crossZ))))),
    py.set(row(minor(y, k33, z, k23), minor(z, k13, x, k33), minor(x, k23, y, k13))),
    store(impulses, 2, sum),
  ];
  write(draft, isFree.set(pulls), whenElse(isFree.get, free.flat(), held.flat()));
  return draft.lines;
}
