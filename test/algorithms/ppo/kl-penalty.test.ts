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
    const restored = (coeff: number, saved: number | undefined) => {
      const one = penalty(coeff, 0.01);
      one.restore(saved);
      return one.coeff;
    };
    expect(restored(0.2, 0.675)).toBe(0.675);
    expect(restored(0.2, undefined)).toBe(0.2);
    expect(restored(0.2, 0)).toBe(0.2);
    expect(restored(0, 0.675)).toBe(0);
  });
});
