import { describe, expect, it } from 'vitest';
import { computeNStepReturns } from '../../src/targets/n-step.ts';
import { distance, nextOf, randomSteps, rowOf, SIZES } from './random-steps.ts';

const PLAIN = { gamma: 0.9, rewardScale: 1, clipReward: Infinity };

describe('computeNStepReturns', () => {
  it('agrees with a case worked by hand: windows of three, an end of each kind', () => {
    // rewards 1 to 7, terminated at index 3, truncated at 6; values 0 but for the true last observation, which is worth 10
    const steps = rowOf([1, 2, 3, 4, 5, 6, 7], [0, 0, 0, 0, 0, 0, 0], Number.NaN);
    steps.terminated[3] = 1;
    steps.truncated[6] = 1;
    steps.finalValues[6] = 10;
    const returns = new Float32Array(7);
    computeNStepReturns(steps, { ...PLAIN, nStep: 3 }, returns);
    // without bootstraps [5.23, 7.94, 6.6, 4, 16.07, 12.3, 7]; those of 4, 5 and 6 reach the truncation: + 10 * 0.9^m
    expect(distance(returns, [5.23, 7.94, 6.6, 4, 16.07 + 7.29, 12.3 + 8.1, 7 + 9])).toBeLessThan(1e-6);
  });

  it.each([1, 2, 5, 1000])('agrees with the recursion over %i steps', (nStep) => {
    for (const [N, T, seed] of SIZES) {
      const steps = randomSteps(N, T, seed);
      const returns = new Float32Array(N * T);
      computeNStepReturns(steps, { ...PLAIN, nStep }, returns);
      /** G of m steps = r + gamma (nextValue where it stops, else G of m - 1 steps from the next). */
      const recursive = (i: number, m: number): number => {
        const { value, ends } = nextOf(steps, i);
        return steps.rewards[i] + 0.9 * (ends || m === 1 ? value : recursive(i + 1, m - 1));
      };
      const expected = Array.from(returns, (_, i) => recursive(i, nStep));
      expect(distance(returns, expected)).toBeLessThan(1e-6);
    }
  });
});
