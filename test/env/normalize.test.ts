import { describe, expect, it } from 'vitest';
import type { Env } from '../../src/env/env.ts';
import { Box, Discrete } from '../../src/env/spaces.ts';
import type { AutoresetMode, StepRows, VectorEnv } from '../../src/env/vector-env.ts';
import { vectorizeEnv } from '../../src/env/vectorize.ts';
import { normalizeObservation, normalizeReward } from '../../src/env/wrappers/index.ts';
import { makeRows } from './step-rows.ts';

const GAMMA = 0.9;

/** Observation [seed % 100 + t, -t], reward seed % 7 + t; ends after 3 + seed % 2 steps. */
function counter(): Env {
  let seed = 0;
  let t = 0;
  return {
    observationSpace: new Box(-1000, 1000, [2]),
    actionSpace: new Discrete(2),
    reset(options) {
      seed = options?.seed ?? 0;
      t = 0;
      return { observation: [seed % 100, 0] };
    },
    step() {
      t += 1;
      return {
        observation: [(seed % 100) + t, -t],
        reward: (seed % 7) + t,
        terminated: t === 3 + (seed % 2),
        truncated: false,
      };
    },
  };
}

interface Played {
  readonly raw: StepRows;
  readonly wrapped: StepRows;
}

/** Plays the plain and the wrapped vector side by side, in any mode, and calls back after every call. */
function playBoth(
  mode: AutoresetMode,
  wrap: (env: VectorEnv) => VectorEnv,
  onRows: (played: Played, isReset: boolean) => void,
) {
  const make = () => vectorizeEnv(counter, 3, { autoreset: mode });
  const [plain, env] = [make(), wrap(make())];
  const [raw, wrapped] = [makeRows(plain), makeRows(env)];
  const seeds = Uint32Array.of(10, 21, 33);
  for (const [vector, rows] of [
    [plain, raw],
    [env, wrapped],
  ] as const)
    vector.reset(seeds, rows);
  onRows({ raw, wrapped }, true);
  for (let t = 0; t < 12; t++) {
    const next = seeds.map((seed, n) => seed + 40 * t + n);
    const ended = raw.terminated.map((flag) => (flag === 1 ? 1 : 0));
    if (mode === 'disabled' && t > 0 && ended.includes(1)) {
      plain.resetRows(ended, next, raw);
      env.resetRows(ended, next, wrapped);
    }
    plain.step(new Int32Array(3), next, raw);
    env.step(new Int32Array(3), next, wrapped);
    onRows({ raw, wrapped }, false);
  }
}

describe.each<AutoresetMode>(['same-step', 'next-step', 'disabled'])('%s', (mode) => {
  it('normalizeReward divides by the deviation of the discounted return of real steps', () => {
    const history: number[] = [];
    const returns = [0, 0, 0];
    const wasEnd = [false, false, false];
    let numChecked = 0;
    playBoth(
      mode,
      (env) => normalizeReward(env, GAMMA),
      ({ raw, wrapped }, isReset) => {
        if (isReset) return;
        // A plain loop over all rewards so far, as the definition says.
        const isFake = wasEnd.map((end) => end && mode === 'next-step');
        for (let n = 0; n < 3; n++) {
          if (isFake[n]) continue;
          returns[n] = GAMMA * returns[n] + raw.rewards[n];
          history.push(returns[n]);
        }
        const mean = history.reduce((a, b) => a + b) / history.length;
        const variance = history.reduce((sum, x) => sum + (x - mean) ** 2, 0) / history.length;
        for (let n = 0; n < 3; n++) {
          wasEnd[n] = raw.terminated[n] === 1;
          if (wasEnd[n]) returns[n] = 0;
          const expected = isFake[n] ? 0 : raw.rewards[n] / Math.sqrt(variance + 1e-8);
          expect(wrapped.rewards[n]).toBeCloseTo(Math.max(-10, Math.min(10, expected)), 5);
          numChecked += 1;
        }
      },
    );
    expect(numChecked).toBe(36);
  });

  it('normalizeObservation uses every observation once', () => {
    const seen: number[][] = [];
    const size = 2;
    const rowOf = (array: ArrayLike<number>, n: number) => [array[n * size], array[n * size + 1]];
    playBoth(
      mode,
      (env) => normalizeObservation(env, 5),
      ({ raw, wrapped }, isReset) => {
        const finals = isReset ? [] : [0, 1, 2].filter((n) => raw.terminated[n] === 1);
        for (let n = 0; n < 3; n++) seen.push(rowOf(raw.observations, n));
        if (mode === 'same-step') for (const n of finals) seen.push(rowOf(raw.finalObservations, n));
        if (mode === 'disabled') return; // resetRows has added rows of its own; its statistics are checked below
        const normalize = (row: number[]) =>
          row.map((x, k) => {
            const mean = seen.reduce((sum, each) => sum + each[k], 0) / seen.length;
            const variance = seen.reduce((sum, each) => sum + (each[k] - mean) ** 2, 0) / seen.length;
            return Math.max(-5, Math.min(5, (x - mean) / Math.sqrt(variance + 1e-8)));
          });
        const check = (actual: ArrayLike<number>, expected: ArrayLike<number>, n: number) => {
          const wanted = normalize(rowOf(expected, n));
          for (const [k, x] of rowOf(actual, n).entries()) expect(x).toBeCloseTo(wanted[k], 4);
        };
        for (let n = 0; n < 3; n++) check(wrapped.observations, raw.observations, n);
        for (const n of finals) check(wrapped.finalObservations, raw.finalObservations, n);
      },
    );
  });
});

describe('normalizeReward', () => {
  it('takes the states that it gave, and no others', () => {
    const saving = () => ({ ...counter(), getState: () => 0, setState: () => undefined });
    const make = () => normalizeReward(vectorizeEnv(saving, 1), GAMMA);
    const [env, other] = [make(), make()];
    const [rows, otherRows] = [makeRows(env), makeRows(other)];
    env.reset(Uint32Array.of(3), rows);
    env.step(new Int32Array(1), Uint32Array.of(0), rows);
    const state = env.getState!(0);
    other.reset(Uint32Array.of(9), otherRows);
    other.setState!(0, state, otherRows);
    expect(other.getState!(0)).toEqual(state);
    for (const bad of [
      null,
      {},
      { inner: null, discountedReturn: '1', isReset: 0 },
      { ...(state as object), isReset: 2 },
    ]) {
      expect(() => other.setState!(0, bad as never, otherRows)).toThrowError(
        expect.objectContaining({ code: 'ENV_STATE' }),
      );
    }
  });
});

describe('statistics', () => {
  it('can be frozen, saved and restored; resetRows counts the rows it resets', () => {
    const env = normalizeObservation(vectorizeEnv(counter, 2, { autoreset: 'disabled' }));
    const rows = makeRows(env);
    env.reset(Uint32Array.of(2, 4), rows);
    env.resetRows(Uint8Array.of(0, 1), Uint32Array.of(0, 9), rows);
    expect(env.getStatistics()).toMatchObject({ count: 3, mean: [5, 0] });
    env.isUpdating = false;
    env.step(new Int32Array(2), Uint32Array.of(0, 0), rows);
    expect(env.getStatistics().count).toBe(3);
    const other = normalizeObservation(vectorizeEnv(counter, 2));
    other.setStatistics(JSON.parse(JSON.stringify(env.getStatistics())));
    expect(other.getStatistics()).toEqual(env.getStatistics());
    const image = { ...counter(), observationSpace: new Box(0, 255, [2], 'uint8') };
    expect(() => normalizeObservation(vectorizeEnv(() => image, 1))).toThrow(/float32/);
  });
});
