import { describe, expect, it } from 'vitest';
import { computeGae } from '../../src/targets/gae.ts';
import { computeNStepReturns } from '../../src/targets/n-step.ts';
import type { ValuedSteps } from '../../src/targets/valued-steps.ts';
import { computeVtrace, type VtraceOptions } from '../../src/targets/vtrace.ts';
import { emptyRollout } from '../reference/empty-rollout.ts';
import { categorical, makeSpec } from '../reference/policy-specs.ts';
import { distance, nextOf, type PolicySteps, randomSteps, rowOf, SIZES } from './random-steps.ts';

const PLAIN: VtraceOptions = {
  gamma: 0.9,
  lambda: 1,
  rhoClip: 1,
  traceClip: 1,
  rewardScale: 1,
  clipReward: Infinity,
};

/** Computes both targets for ratios pi / mu. */
function vtrace(steps: ValuedSteps, logRatios: Float32Array, options: VtraceOptions) {
  const targets = {
    advantages: new Float32Array(logRatios.length),
    returns: new Float32Array(logRatios.length),
  };
  computeVtrace(steps, new Float32Array(logRatios.length), logRatios, options, targets);
  return targets;
}

const log = (ratios: readonly number[]) => Float32Array.from(ratios, Math.log);
const RATIOS = [0.5, 2, 1, 0.8, 1.5];
const row = () => rowOf([1, 0, 2, -1, 1], [0.5, 1, 1.5, 0.2, 0.8], 1.2);

/** v by the paper's sum: V + sum over t of gamma^(t - s) (product of c before t) delta[t]. */
function sumFormula(steps: PolicySteps, options: VtraceOptions, s: number): number {
  const { gamma, lambda, rhoClip, traceClip } = options;
  let sum = steps.values[s];
  let weight = 1;
  for (let i = s; ; i++) {
    const { value, ends } = nextOf(steps, i);
    const ratio = Math.exp(steps.targetLogProbs[i] - steps.behaviourLogProbs[i]);
    const reward = Math.max(
      -options.clipReward,
      Math.min(options.clipReward, options.rewardScale * steps.rewards[i]),
    );
    sum += weight * Math.min(rhoClip, ratio) * (reward + gamma * value - steps.values[i]);
    weight *= gamma * lambda * Math.min(traceClip, ratio);
    if (ends) return sum;
  }
}

describe('computeVtrace', () => {
  it('agrees with a case worked by hand', () => {
    // delta = [0.7, 0.35, 0.68, -0.384, 1.28] with rho = [0.5, 1, 1, 0.8, 1]; from the end:
    // v4 = 0.8 + 1.28 = 2.08;  v3 = 0.2 - 0.384 + 0.72 * 1.28 = 0.7376;  v2 = 1.5 + 0.68 + 0.9 * 0.5376 = 2.66384; ...
    const { advantages, returns } = vtrace(row(), log(RATIOS), PLAIN);
    expect(distance(returns, [1.828855, 2.397456, 2.66384, 0.7376, 2.08])).toBeLessThan(1e-6);
    expect(distance(advantages, [0.5 * 2.6577104, 1.397456, 1.16384, 0.8 * 0.672, 1.28])).toBeLessThan(1e-6);
  });

  it('lets no trace and no value through a terminated step', () => {
    const steps = row();
    steps.terminated[2] = 1;
    const { advantages, returns } = vtrace(steps, log(RATIOS), PLAIN);
    expect(distance(returns, [1.56, 1.8, 2, 0.7376, 2.08])).toBeLessThan(1e-6);
    expect(distance(advantages, [1.06, 0.8, 0.5, 0.5376, 1.28])).toBeLessThan(1e-6);
  });

  it('bootstraps a truncated step from its last observation, and lets no trace through', () => {
    const steps = row();
    steps.truncated[2] = 1;
    steps.finalValues[2] = 10; // delta2 = 2 + 9 - 1.5 = 9.5
    const { advantages, returns } = vtrace(steps, log(RATIOS), PLAIN);
    expect(distance(returns.subarray(2), [11, 0.7376, 2.08])).toBeLessThan(1e-6);
    expect(advantages[2]).toBeCloseTo(9.5, 5);
  });

  it('is the n-step return where the two policies are one', () => {
    const { returns } = vtrace(row(), log([1, 1, 1, 1, 1]), PLAIN);
    expect(distance(returns, [3.255688, 2.50632, 2.7848, 0.872, 2.08])).toBeLessThan(1e-6);
    for (const [N, T, seed] of SIZES) {
      const steps = randomSteps(N, T, seed);
      const expected = new Float32Array(N * T);
      computeNStepReturns(steps, { ...PLAIN, nStep: T }, expected);
      const actual = vtrace(steps, new Float32Array(N * T), PLAIN).returns;
      expect(distance(actual, expected)).toBeLessThan(2e-6);
    }
  });

  it.each([0, 0.3, 0.95, 1])('is what GAE gives where the two policies are one, lambda %d', (lambda) => {
    for (const [N, T, seed] of SIZES) {
      const steps = randomSteps(N, T, seed);
      const rollout = emptyRollout(makeSpec(categorical(2)), N, T);
      const names = [
        'rewards',
        'values',
        'terminated',
        'truncated',
        'finalValues',
        'bootstrapValues',
      ] as const;
      for (const name of names) rollout[name].set(steps[name]);
      const scaling = { rewardScale: 0.5, clipReward: 1 };
      computeGae(rollout, { gamma: 0.9, gaeLambda: lambda, ...scaling });
      const actual = vtrace(steps, new Float32Array(N * T), { ...PLAIN, lambda, ...scaling });
      expect(distance(actual.returns, rollout.returns)).toBeLessThan(2e-6);
      if (lambda === 1) expect(distance(actual.advantages, rollout.advantages)).toBeLessThan(4e-6);
    }
  });

  it.each([
    { gamma: 0.9, lambda: 1, rhoClip: 1, traceClip: 1 },
    { gamma: 0.99, lambda: 0.8, rhoClip: 2, traceClip: 0.7 },
    { gamma: 1, lambda: 1, rhoClip: 0.5, traceClip: 1.5 },
  ])('agrees with the sum of the definition, %o', (bounds) => {
    const options = { ...bounds, rewardScale: 0.7, clipReward: 2 };
    for (const [N, T, seed] of SIZES) {
      const steps = randomSteps(N, T, seed);
      const targets = { advantages: new Float32Array(N * T), returns: new Float32Array(N * T) };
      computeVtrace(steps, steps.behaviourLogProbs, steps.targetLogProbs, options, targets);
      const expected = Array.from({ length: N * T }, (_, i) => sumFormula(steps, options, i));
      expect(distance(targets.returns, expected)).toBeLessThan(1e-5);
      const advantages = expected.map((_, i) => {
        const { value, ends } = nextOf(steps, i);
        const reward = Math.max(-2, Math.min(2, 0.7 * steps.rewards[i]));
        const next = ends ? value : expected[i + 1];
        const rho = Math.min(bounds.rhoClip, Math.exp(steps.targetLogProbs[i] - steps.behaviourLogProbs[i]));
        return rho * (reward + bounds.gamma * next - steps.values[i]);
      });
      expect(distance(targets.advantages, advantages)).toBeLessThan(1e-5);
    }
  });
});
