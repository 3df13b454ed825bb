/** Asynchronous successive halving. */
import { quantile } from '../../statistics/sample.ts';
import { hasReached, rankAt, type Scheduler, type StoppingRule } from './scheduler.ts';

export interface AshaOptions {
  /** Environment steps of a whole trial. */
  readonly numSteps: number;
  /** Steps of the first rung. */
  readonly gracePeriod: number;
  /** One of so many goes on from a rung; > 1. */
  readonly reductionFactor: number;
}

/** gracePeriod * reductionFactor^k below numSteps, in whole steps. */
function rungs({ numSteps, gracePeriod, reductionFactor }: AshaOptions): number[] {
  const milestones: number[] = [];
  for (let steps = gracePeriod; Math.round(steps) < numSteps; steps *= reductionFactor)
    if (Math.round(steps) !== milestones.at(-1)) milestones.push(Math.round(steps));
  return milestones;
}

/**
 * A trial ends at a rung when its score is below the upper 1/reductionFactor of those recorded there before it; the first one at a rung
 * always goes on.
 *
 * Li et al. (2020), "A System for Massively Parallel Hyperparameter Tuning", in the form that stops and never pauses.
 */
export function createAsha(options: AshaOptions): StoppingRule {
  return {
    milestones: rungs(options),
    goesOn(own, before) {
      const k = own.length - 1;
      const recorded = before.flatMap((scores) => (scores.length > k ? [scores[k]] : []));
      return recorded.length === 0 || own[k] >= quantile(recorded, 1 - 1 / options.reductionFactor);
    },
  };
}

/**
 * Every trial waits at each rung. Room goes to the highest rung of which one of the best floor(n / reductionFactor) of the n that reached
 * it waits there: the best of these goes on; where there is none, to a new trial. So nobody goes on for having come early; those that still
 * wait when nothing is left to run are stopped.
 *
 * Li et al. (2020), algorithm 2.
 */
export function createPromotingAsha(options: AshaOptions): Scheduler {
  const milestones = rungs(options);
  return {
    milestonesOf: () => milestones,
    decide({ trials }) {
      for (let k = milestones.length - 1; k >= 0; k--) {
        const ranked = rankAt(trials, k);
        const promotable = ranked.slice(0, Math.floor(ranked.length / options.reductionFactor));
        const next = promotable.find((trial) => trial.state === 'waiting' && !hasReached(trial, k + 1));
        if (next !== undefined) return { action: 'go', number: next.number };
      }
      return null;
    },
  };
}
