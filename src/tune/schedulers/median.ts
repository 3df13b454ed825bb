/** The median stopping rule. */
import { mean, quantile } from '../../statistics/sample.ts';
import type { StoppingRule } from './scheduler.ts';

export interface MedianOptions {
  /** Environment steps of a whole trial. */
  readonly numSteps: number;
  /** No trial is stopped before so many steps. */
  readonly gracePeriod: number;
  /** Number of equal parts of a trial, with a decision at the end of each but the last. */
  readonly numParts: number;
}

/** No trial is stopped while fewer others have come as far. */
const MIN_OTHERS = 3;

/**
 * A trial ends where its best score so far is below the median of the running means of the others, over those that have come as far.
 *
 * Golovin et al. (2017), "Google Vizier", section 3.2.
 */
export function createMedianStopping({ numSteps, gracePeriod, numParts }: MedianOptions): StoppingRule {
  const parts = Array.from({ length: numParts - 1 }, (_, k) => Math.round((numSteps * (k + 1)) / numParts));
  const milestones = parts.filter((steps) => steps >= gracePeriod);
  return {
    milestones,
    goesOn(own, before) {
      const reached = before.filter((scores) => scores.length >= own.length);
      if (reached.length < MIN_OTHERS) return true;
      const means = reached.map((scores) => mean(scores.slice(0, own.length)));
      return Math.max(...own) >= quantile(means, 0.5);
    },
  };
}
