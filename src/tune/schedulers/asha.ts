/** Asynchronous successive halving. */
import { quantile } from '../../statistics/sample.ts';
import type { Scheduler } from './scheduler.ts';

export interface AshaOptions {
  /** Environment steps of a whole trial. */
  readonly numSteps: number;
  /** Steps of the first rung. */
  readonly gracePeriod: number;
  /** One of so many goes on from a rung; > 1. */
  readonly reductionFactor: number;
}

/**
 * A trial ends at a rung when its score is below the upper 1/reductionFactor of those recorded there before it; the first one at a rung
 * always goes on. Rungs: gracePeriod * reductionFactor^k below numSteps.
 *
 * Li et al. (2020), "A System for Massively Parallel Hyperparameter Tuning", the stopping form. Departure: "before" is by the trials'
 * numbers, not by the clock, so a study can be repeated.
 */
export function createAsha({ numSteps, gracePeriod, reductionFactor }: AshaOptions): Scheduler {
  const milestones: number[] = [];
  for (let steps = gracePeriod; steps < numSteps; steps *= reductionFactor)
    milestones.push(Math.round(steps));
  return {
    milestones,
    goesOn(own, before) {
      const k = own.length - 1;
      const recorded = before.flatMap((scores) => (scores.length > k ? [scores[k]] : []));
      return recorded.length === 0 || own[k] >= quantile(recorded, 1 - 1 / reductionFactor);
    },
  };
}
