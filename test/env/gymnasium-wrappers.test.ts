/** What Gymnasium's wrappers make of the same numbers; `fixtures/gymnasium-wrappers.py` recorded it. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import type { Env } from '../../src/env/env.ts';
import { flatSize, flattenObservation } from '../../src/env/flatten-space.ts';
import { Box, Dict, Discrete, type Space } from '../../src/env/spaces.ts';
import { checkWrappers, wrapListed } from '../../src/env/wrappers/listed-wrappers.ts';

type Recorded = {
  readonly name: string;
  readonly wrapper: { readonly name: string };
} & (
  | { readonly kind: 'observations'; readonly shown: unknown[]; readonly seen: unknown[] }
  | { readonly kind: 'actions'; readonly given: unknown[]; readonly taken: number[][] }
);

const BOX = new Box([-3, 0, -1], [3, 1, 9]);
const PARTS = new Dict({ a: new Box(-1, 1, [2]), b: new Discrete(3), c: new Box(0, 5, [1]) });
const file = (name: string) => fileURLToPath(new URL(`fixtures/${name}`, import.meta.url));
const { cases } = JSON.parse(readFileSync(file('gymnasium-wrappers.json'), 'utf8')) as { cases: Recorded[] };

function teller(observationSpace: Space, shown: readonly unknown[]): Env & { readonly taken: number[][] } {
  const taken: number[][] = [];
  let t = 0;
  return {
    observationSpace,
    actionSpace: new Box([-1, 0], [1, 10]),
    taken,
    reset: () => ({ observation: shown[0] }),
    step(action) {
      taken.push(Array.from(action as Float32Array));
      t += 1;
      return { observation: shown[t], reward: t, terminated: false, truncated: false };
    },
  };
}

const wrap = (env: Env, recorded: Recorded) => wrapListed(env, checkWrappers([recorded.wrapper]));

/** Numbers of any nesting, in order; keys of a Dict by name. */
function numbersOf(value: unknown): number[] {
  if (typeof value === 'number') return [value];
  const parts =
    Array.isArray(value) || ArrayBuffer.isView(value)
      ? Array.from(value as unknown as ArrayLike<unknown>)
      : Object.entries(value as object)
          .sort(([a], [b]) => (a < b ? -1 : 1))
          .map(([, part]) => part);
  return parts.flatMap(numbersOf);
}

describe.each(cases)('$name', (recorded) => {
  test('makes the same of the same numbers', () => {
    if (recorded.kind === 'observations') {
      const isDict = !Array.isArray(recorded.shown[0]);
      const env = wrap(teller(isDict ? PARTS : BOX, recorded.shown), recorded);
      const seen = recorded.shown.map((_, t) => (t === 0 ? env.reset() : env.step([0, 0])).observation);
      for (const [t, observation] of seen.entries()) {
        // It fits its own space, too.
        const row = new Float32Array(flatSize(env.observationSpace));
        flattenObservation(env.observationSpace, observation, row, 0);
        const wanted = numbersOf(recorded.seen[t]);
        const got = numbersOf(observation);
        expect(got.length).toBe(wanted.length);
        for (const [k, x] of got.entries()) expect(Math.abs(x - wanted[k])).toBeLessThan(1e-6);
      }
      return;
    }
    const inner = teller(BOX, new Array(40).fill([0, 0, 0]));
    const env = wrap(inner, recorded);
    env.reset();
    for (const action of recorded.given) env.step(action);
    expect(inner.taken.length).toBe(recorded.taken.length);
    for (const [t, action] of inner.taken.entries())
      for (const [k, x] of action.entries())
        expect(Math.abs(x - recorded.taken[t][k])).toBeLessThan(1e-5 * Math.max(1, Math.abs(x)));
  });
});

const python = process.env.OPERANT_GYMNASIUM_PYTHON;
test.skipIf(python === undefined)('the fixture is what Gymnasium says today', () => {
  const fresh = JSON.parse(String(execFileSync(python as string, [file('gymnasium-wrappers.py')]))) as {
    cases: Recorded[];
  };
  expect(fresh.cases.map(({ name }) => name)).toEqual(cases.map(({ name }) => name));
  for (const [k, recorded] of fresh.cases.entries()) {
    const [now, then] = [recorded, cases[k]].map((one) =>
      numbersOf(one.kind === 'actions' ? one.taken : one.seen),
    );
    expect(now.length).toBe(then.length);
    for (const [i, x] of now.entries()) expect(Math.abs(x - then[i])).toBeLessThan(1e-5);
  }
});
