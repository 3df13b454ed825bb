import { describe, expect, it } from 'vitest';
import type { ResolvedPPOConfig } from '../../../algorithms/ppo/config.ts';
import { createKlPenalty } from '../../../algorithms/ppo/kl-penalty.ts';

const penalty = (klPenaltyCoeff: number, klPenaltyTarget: number | null) =>
  createKlPenalty({ klPenaltyCoeff, klPenaltyTarget } as ResolvedPPOConfig['training']);

/** The weight after an update with this divergence, from 0.2 with target 0.01. */
function coeffAfter(kl: number): number {
  const adaptive = penalty(0.2, 0.01);
  adaptive.adapt(kl);
  return adaptive.coeff;
}

describe('createKlPenalty', () => {
  it('raises the weight above twice the target, halves it below half, and leaves it between', () => {
    expect(coeffAfter(0.0201)).toBeCloseTo(0.3, 15);
    expect(coeffAfter(0.0049)).toBe(0.1);
    for (const kl of [0.005, 0.01, 0.02]) expect(coeffAfter(kl)).toBe(0.2);
  });

  it('leaves it alone where no minibatch was finite, and without a target', () => {
    expect(coeffAfter(Number.NaN)).toBe(0.2);
    const constant = penalty(0.2, null);
    constant.adapt(5);
    expect(constant.coeff).toBe(0.2);
  });

  it("takes up a checkpoint's weight, unless that or this run has no penalty", () => {
    const resumed = (coeff: number, saved: number | null | undefined) => {
      const one = penalty(coeff, 0.01);
      one.setState(saved);
      return one.coeff;
    };
    expect(resumed(0.2, 0.675)).toBe(0.675);
    expect(resumed(0.2, undefined)).toBe(0.2); // a checkpoint older than the penalty
    expect(resumed(0.2, penalty(0, null).getState())).toBe(0.2);
    expect(resumed(0, 0.675)).toBe(0);
  });

  it('goes on as it was after so many quiet updates that nothing is left of it', () => {
    const quiet = penalty(0.2, 0.01);
    for (let k = 0; k < 1100; k++) quiet.adapt(0);
    expect(quiet.coeff).toBe(0);
    const resumed = penalty(0.2, 0.01);
    resumed.setState(quiet.getState());
    expect(resumed.coeff).toBe(0);
  });
});
