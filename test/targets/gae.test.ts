import { describe, expect, it } from 'vitest';
import type { RolloutViews } from '../../src/experience/layout.ts';
import { openStream } from '../../src/random/streams.ts';
import { computeGae, explainedVariance, type GaeOptions } from '../../src/targets/gae.ts';
import { emptyRollout } from '../reference/empty-rollout.ts';
import { categorical, makeSpec } from '../reference/policy-specs.ts';

const PLAIN: GaeOptions = { gamma: 0.99, gaeLambda: 0.95, rewardScale: 1, clipReward: Infinity };

function makeRollout(N: number, T: number): RolloutViews {
  return emptyRollout(makeSpec(categorical(2)), N, T);
}

/** Random values and rewards; each step ends an episode with probability 1/4, half of the ends are time limits, some both. */
function randomRollout(N: number, T: number, seed: number): RolloutViews {
  const rollout = makeRollout(N, T);
  const stream = openStream(seed, 'gae');
  for (let i = 0; i < N * T; i++) {
    rollout.rewards[i] = 3 * stream.normal();
    rollout.values[i] = stream.normal();
    rollout.finalValues[i] = stream.normal();
    if (stream.uniform() < 0.25) {
      const kind = stream.integer(3);
      rollout.terminated[i] = kind === 1 ? 0 : 1;
      rollout.truncated[i] = kind === 0 ? 0 : 1;
    }
  }
  for (let n = 0; n < N; n++) rollout.bootstrapValues[n] = stream.normal();
  return rollout;
}

/** A[t] = sum over l of (gamma lambda)^l delta[t + l], summed forward until the episode or the rollout ends. */
function forwardSum(rollout: RolloutViews, options: GaeOptions, n: number, t: number): number {
  const { gamma, gaeLambda, rewardScale, clipReward } = options;
  const T = rollout.rolloutLength;
  let sum = 0;
  for (let l = 0; t + l < T; l++) {
    const i = n * T + t + l;
    const reward = Math.max(-clipReward, Math.min(clipReward, rewardScale * rollout.rewards[i]));
    let next = l + t + 1 < T ? rollout.values[i + 1] : rollout.bootstrapValues[n];
    if (rollout.truncated[i] === 1) next = rollout.finalValues[i];
    if (rollout.terminated[i] === 1) next = 0;
    sum += (gamma * gaeLambda) ** l * (reward + gamma * next - rollout.values[i]);
    if (rollout.terminated[i] === 1 || rollout.truncated[i] === 1) break;
  }
  return sum;
}

describe('computeGae', () => {
  it('agrees with a case worked by hand', () => {
    // gamma 1/2, lambda 1/2, one row of three steps, nothing ends; bootstrap 4.
    //   delta2 = 3 + 0.5*4 - 1 = 4           A2 = 4                    R2 = 5
    //   delta1 = 2 + 0.5*1 - 2 = 0.5         A1 = 0.5 + 0.25*4 = 1.5   R1 = 3.5
    //   delta0 = 1 + 0.5*2 - 3 = -1          A0 = -1 + 0.25*1.5        R0 = 2.375
    const rollout = makeRollout(1, 3);
    rollout.rewards.set([1, 2, 3]);
    rollout.values.set([3, 2, 1]);
    rollout.bootstrapValues[0] = 4;
    computeGae(rollout, { ...PLAIN, gamma: 0.5, gaeLambda: 0.5 });
    expect([...rollout.advantages]).toEqual([-0.625, 1.5, 4]);
    expect([...rollout.returns]).toEqual([2.375, 3.5, 5]);
  });

  // One row of two steps; the end is at step 0, and what follows is another episode. gamma = lambda = 1/2.
  //   step 1: delta1 = 2 + 0.5*8 - 4 = 2, A1 = 2
  it.each([
    // next value = values[1] = 4, trace goes on: 1 + 0.5*4 - 6 + 0.25*2
    { end: 'none', terminated: 0, truncated: 0, expected: -2.5 },
    // next value = 0, trace ends: 1 - 6
    { end: 'terminated', terminated: 1, truncated: 0, expected: -5 },
    // next value = finalValues[0] = 10, trace ends: 1 + 0.5*10 - 6
    { end: 'truncated', terminated: 0, truncated: 1, expected: 0 },
    // terminated wins
    { end: 'both', terminated: 1, truncated: 1, expected: -5 },
  ])('treats the end "$end" as it should', ({ terminated, truncated, expected }) => {
    const rollout = makeRollout(1, 2);
    rollout.rewards.set([1, 2]);
    rollout.values.set([6, 4]);
    rollout.finalValues.set([10, Number.NaN]); // NaN: must not be read where nothing was truncated
    rollout.bootstrapValues[0] = 8;
    rollout.terminated[0] = terminated;
    rollout.truncated[0] = truncated;
    computeGae(rollout, { ...PLAIN, gamma: 0.5, gaeLambda: 0.5 });
    expect([...rollout.advantages]).toEqual([expected, 2]);
    expect([...rollout.returns]).toEqual([expected + 6, 6]);
  });

  it('reads no bootstrap after an end in the last step', () => {
    const rollout = makeRollout(2, 1);
    rollout.rewards.set([1, 1]);
    rollout.values.set([3, 3]);
    rollout.bootstrapValues.fill(Number.NaN);
    rollout.terminated[0] = 1;
    rollout.truncated[1] = 1;
    rollout.finalValues.set([Number.NaN, 10]);
    computeGae(rollout, { ...PLAIN, gamma: 0.5 });
    expect([...rollout.advantages]).toEqual([-2, 3]);
  });

  it.each([
    [1, 1, 0.99, 0.95],
    [7, 3, 0.9, 0.8],
    [3, 40, 0.999, 0.98],
    [16, 33, 1, 0.5],
    [5, 64, 0.5, 1],
    [4, 20, 0, 0.9],
  ])('agrees with the forward sum for N = %i, T = %i, gamma = %d, lambda = %d', (N, T, gamma, gaeLambda) => {
    const options = { gamma, gaeLambda, rewardScale: 0.7, clipReward: 2.5 };
    const rollout = randomRollout(N, T, N * 1000 + T);
    computeGae(rollout, options);
    for (let n = 0; n < N; n++) {
      for (let t = 0; t < T; t++) {
        const i = n * T + t;
        const expected = forwardSum(rollout, options, n, t);
        const tolerance = 1e-6 * (1 + Math.abs(expected)); // stored as float32
        expect(Math.abs(rollout.advantages[i] - expected)).toBeLessThan(tolerance);
        expect(Math.abs(rollout.returns[i] - expected - rollout.values[i])).toBeLessThan(tolerance + 1e-6);
      }
    }
  });

  it('is the one-step TD error with lambda 0', () => {
    const rollout = randomRollout(4, 25, 5);
    rollout.terminated.fill(0);
    rollout.truncated.fill(0);
    computeGae(rollout, { ...PLAIN, gaeLambda: 0 });
    for (let n = 0; n < 4; n++) {
      for (let t = 0; t < 25; t++) {
        const i = n * 25 + t;
        const next = t === 24 ? rollout.bootstrapValues[n] : rollout.values[i + 1];
        expect(rollout.advantages[i]).toBeCloseTo(rollout.rewards[i] + 0.99 * next - rollout.values[i], 5);
      }
    }
  });

  it('gives discounted rewards plus the bootstrap as returns with lambda 1, whatever the values', () => {
    const rollout = randomRollout(3, 12, 6);
    rollout.terminated.fill(0);
    rollout.truncated.fill(0);
    computeGae(rollout, { ...PLAIN, gaeLambda: 1 });
    for (let n = 0; n < 3; n++) {
      let discounted = rollout.bootstrapValues[n];
      for (let t = 11; t >= 0; t--) {
        discounted = rollout.rewards[n * 12 + t] + 0.99 * discounted;
        expect(rollout.returns[n * 12 + t]).toBeCloseTo(discounted, 4);
      }
    }
  });

  it('scales rewards before it clips them', () => {
    const rollout = makeRollout(1, 4);
    rollout.rewards.set([1, 30, -30, -1]);
    computeGae(rollout, { gamma: 0, gaeLambda: 0, rewardScale: 0.5, clipReward: 10 });
    expect([...rollout.advantages]).toEqual([0.5, 10, -10, -0.5]);
  });

  it('keeps rows apart: a row alone gives the same bits', () => {
    const options = { ...PLAIN, rewardScale: 0.3 };
    const rollout = randomRollout(6, 10, 9);
    computeGae(rollout, options);
    const alone = makeRollout(1, 10);
    const part = (column: 'rewards' | 'values' | 'finalValues' | 'terminated' | 'truncated') =>
      alone[column].set(rollout[column].subarray(40, 50));
    for (const column of ['rewards', 'values', 'finalValues', 'terminated', 'truncated'] as const)
      part(column);
    alone.bootstrapValues[0] = rollout.bootstrapValues[4];
    computeGae(alone, options);
    expect([...alone.advantages]).toEqual([...rollout.advantages.subarray(40, 50)]);
  });
});

describe('explainedVariance', () => {
  const of = (returns: number[], values: number[]) => {
    const rollout = makeRollout(1, returns.length);
    rollout.returns.set(returns);
    rollout.values.set(values);
    return explainedVariance(rollout);
  };

  it('is 1 - Var(returns - values) / Var(returns)', () => {
    // returns 0 2 4 6: mean 3, squares 9+1+1+9 = 20. errors 0 1 0 -1... = returns - values: 0, 1, 0, 1: mean 1/2, squares 1
    expect(of([0, 2, 4, 6], [0, 1, 4, 5])).toBeCloseTo(1 - 1 / 20, 12);
    expect(of([0, 2, 4, 6], [0, 2, 4, 6])).toBe(1);
    expect(of([0, 2, 4, 6], [5, 7, 9, 11])).toBeCloseTo(1, 12); // a constant offset is not variance
    expect(of([0, 2, 4, 6], [3, 3, 3, 3])).toBeCloseTo(0, 12);
    expect(of([0, 2, 4, 6], [6, 4, 2, 0])).toBeCloseTo(1 - 4, 12); // errors -6 -2 2 6: 80 / 20
  });

  it('does not exist where the returns do not vary', () => {
    expect(of([2, 2, 2], [1, 2, 3])).toBeNull();
    expect(of([0.1, 0.1, 0.1], [1, 2, 3])).toBeNull(); // sums of 0.1 round
  });
});
