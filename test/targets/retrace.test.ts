import { describe, expect, it } from 'vitest';
import { computeRetrace, type RetraceOptions } from '../../src/targets/retrace.ts';
import { distance, nextOf, type PolicySteps, randomSteps, rowOf, SIZES } from './random-steps.ts';

const PLAIN: RetraceOptions = { gamma: 0.5, lambda: 1, rewardScale: 1, clipReward: Infinity };

/** Q + sum over t >= s of gamma^(t - s) (product of c in (s, t]) (r + gamma E_pi Q(s[t + 1], .) - Q(s[t], a[t])). */
function sumFormula(steps: PolicySteps, { gamma, lambda }: RetraceOptions, s: number): number {
  let sum = steps.actionValues[s];
  let weight = 1;
  for (let i = s; ; i++) {
    const { value, ends } = nextOf(steps, i);
    sum += weight * (steps.rewards[i] + gamma * value - steps.actionValues[i]);
    if (ends) return sum;
    weight *=
      gamma * lambda * Math.min(1, Math.exp(steps.targetLogProbs[i + 1] - steps.behaviourLogProbs[i + 1]));
  }
}

describe('computeRetrace', () => {
  it('agrees with a case worked by hand', () => {
    // gamma 1/2; E_pi Q of the observations [9, 2, 4], then 8; Q(s, a) = [5, 1, 3]; pi / mu = [any, 1/2, 2] -> c = [., 1/2, 1]
    //   target2 = 3 + 0.5 * 8 = 7
    //   target1 = 2 + 0.5 * (4 + 1 * (7 - 3)) = 6
    //   target0 = 1 + 0.5 * (2 + 0.5 * (6 - 1)) = 3.25
    const targets = new Float32Array(3);
    const pi = Float32Array.of(0, Math.log(0.5), Math.log(2));
    const steps = rowOf([1, 2, 3], [9, 2, 4], 8);
    computeRetrace(steps, Float32Array.of(5, 1, 3), new Float32Array(3), pi, PLAIN, targets);
    expect(distance(targets, [3.25, 6, 7])).toBeLessThan(1e-7);
    steps.terminated[1] = 1; // target1 = 2; target0 = 1 + 0.5 * (2 + 0.5 * (2 - 1))
    computeRetrace(steps, Float32Array.of(5, 1, 3), new Float32Array(3), pi, PLAIN, targets);
    expect(distance(targets, [2.25, 2, 7])).toBeLessThan(1e-7);
  });

  it.each([0, 0.7, 1])('agrees with the sum of the definition, lambda %d', (lambda) => {
    for (const [N, T, seed] of SIZES) {
      const steps = randomSteps(N, T, seed);
      const options = { ...PLAIN, gamma: 0.95, lambda };
      const targets = new Float32Array(N * T);
      computeRetrace(
        steps,
        steps.actionValues,
        steps.behaviourLogProbs,
        steps.targetLogProbs,
        options,
        targets,
      );
      const expected = Array.from(targets, (_, i) => sumFormula(steps, options, i));
      expect(distance(targets, expected)).toBeLessThan(1e-5);
    }
  });

  it('scales and bounds rewards', () => {
    const targets = new Float32Array(2);
    const scaled = { ...PLAIN, lambda: 0, rewardScale: 0.1, clipReward: 0.5 };
    const none = new Float32Array(2);
    computeRetrace(rowOf([2, -90], [0, 0], 0), none, none, none, scaled, targets);
    expect(distance(targets, [0.2, -0.5])).toBeLessThan(1e-7);
  });
});
