import { describe, expect, it } from 'vitest';
import type { RolloutViews } from '../../src/experience/layout.ts';
import { openStream } from '../../src/random/streams.ts';
import { createRewardScaler } from '../../src/targets/reward-scaler.ts';
import { emptyRollout } from '../reference/empty-rollout.ts';
import { categorical, makeSpec } from '../reference/policy-specs.ts';

const spec = makeSpec(categorical(2));
const [N, T, GAMMA] = [3, 8, 0.9];

function randomRollout(seed: number): RolloutViews {
  const rollout = emptyRollout(spec, N, T);
  const stream = openStream(seed, 'rewards');
  for (let i = 0; i < N * T; i++) {
    rollout.rewards[i] = 2 + 5 * stream.normal();
    rollout.terminated[i] = stream.uniform() < 0.15 ? 1 : 0;
    rollout.truncated[i] = stream.uniform() < 0.15 ? 1 : 0;
  }
  return rollout;
}

/** One environment at a time, one step at a time, every discounted return kept; two passes over all of them at the end. */
function slowScale(rollouts: readonly RolloutViews[]): number {
  const seen: number[] = [];
  for (let n = 0; n < N; n++) {
    let discounted = 0;
    for (const rollout of rollouts) {
      for (let t = 0; t < T; t++) {
        const i = n * T + t;
        discounted = discounted * GAMMA + rollout.rewards[i];
        seen.push(discounted);
        if (rollout.terminated[i] + rollout.truncated[i] > 0) discounted = 0;
      }
    }
  }
  const mean = seen.reduce((a, b) => a + b) / seen.length;
  const variance = seen.reduce((sum, x) => sum + (x - mean) ** 2, 0) / seen.length;
  return 1 / Math.sqrt(variance + 1e-8);
}

describe('createRewardScaler', () => {
  it('agrees with a case worked by hand', () => {
    // gamma 1/2, rewards 1 1 | 1 with an end after the second: G = 1, 1.5, then afresh 1. Mean 7/6, variance 1/18.
    const scaler = createRewardScaler(1, 3, 0.5);
    const rollout = emptyRollout(spec, 1, 3);
    rollout.rewards.fill(1);
    rollout.terminated[1] = 1;
    scaler.absorb(rollout);
    expect(scaler.scale).toBeCloseTo(1 / Math.sqrt(1 / 18 + 1e-8), 10);
  });

  it('agrees with a step-by-step reference over several rollouts, episodes running across their borders', () => {
    const scaler = createRewardScaler(N, T, GAMMA);
    const rollouts: RolloutViews[] = [];
    for (let k = 0; k < 4; k++) {
      rollouts.push(randomRollout(k));
      scaler.absorb(rollouts[k]);
      expect(scaler.scale / slowScale(rollouts)).toBeCloseTo(1, 10);
    }
  });

  it('does not scale before it has seen anything', () => {
    expect(createRewardScaler(N, T, GAMMA).scale).toBeCloseTo(1, 7);
  });

  it('leaves the rewards themselves alone', () => {
    const rollout = randomRollout(9);
    const before = [...rollout.rewards];
    createRewardScaler(N, T, GAMMA).absorb(rollout);
    expect([...rollout.rewards]).toEqual(before);
  });

  it('goes on from a stored state bit for bit, in mid-episode', () => {
    const unbroken = createRewardScaler(N, T, GAMMA);
    unbroken.absorb(randomRollout(1));
    const resumed = createRewardScaler(N, T, GAMMA);
    resumed.setState(JSON.parse(JSON.stringify(unbroken.getState())));
    for (const scaler of [unbroken, resumed]) scaler.absorb(randomRollout(2));
    expect(resumed.scale).toBe(unbroken.scale);
    expect(resumed.getState()).toEqual(unbroken.getState());
  });
});
