/** HyperBand: successive halving from several beginnings. */
import { hasReached, rankAt, type ScheduledTrial, type Scheduler } from './scheduler.ts';

export interface HyperbandOptions {
  /** Environment steps of a whole trial. */
  readonly numSteps: number;
  /** Steps below which no trial is stopped. */
  readonly gracePeriod: number;
  /** One of so many goes on; > 1. */
  readonly reductionFactor: number;
}

/** Trials that are halved together. */
export interface Bracket {
  /** Number of its first trial. */
  readonly first: number;
  readonly numTrials: number;
  readonly milestones: readonly number[];
}

/** Against 3.9999999 where 4 is meant. */
const SLACK = 1e-9;

/**
 * Brackets s = sMax, ..., 0 one after another, and again from sMax on, where sMax = floor(log_eta(numSteps / gracePeriod)): bracket s has
 * ceil((sMax + 1) / (s + 1) * eta^s) trials, which wait at numSteps * eta^-s, numSteps * eta^(1-s), .... When all that have not failed have
 * come to a milestone, the best floor(n / eta) of the n there go on (one at least), and the others are stopped.
 *
 * Li et al. (2018), "Hyperband: A Novel Bandit-Based Approach to Hyperparameter Optimization", algorithm 1. Departure: the next bracket's
 * trials begin while one is still being halved, so no room is left empty.
 */
export function createHyperband(options: HyperbandOptions): Scheduler {
  const { reductionFactor: eta } = options;
  return {
    milestonesOf: (number) => bracketOf(number, options).milestones,
    decide({ trials, isFull }) {
      for (const trial of trials) {
        if (trial.state !== 'waiting') continue;
        const { first, numTrials } = bracketOf(trial.number, options);
        const members = trials.slice(first, first + numTrials);
        const k = trial.scores.length - 1;
        const isOpen = (member: ScheduledTrial) => member.state === 'running' && !hasReached(member, k);
        if ((members.length < numTrials && !isFull) || members.some(isOpen)) continue;
        const ranked = rankAt(members, k);
        const numKept = Math.max(1, Math.floor(ranked.length / eta + SLACK));
        const isKept = ranked.slice(0, numKept).includes(trial);
        return { action: isKept ? 'go' : 'stop', number: trial.number };
      }
      return null;
    },
  };
}

/** The bracket that a trial belongs to. */
export function bracketOf(
  number: number,
  { numSteps, gracePeriod, reductionFactor: eta }: HyperbandOptions,
): Bracket {
  const largest = Math.max(0, Math.floor(Math.log(numSteps / gracePeriod) / Math.log(eta) + SLACK));
  for (let first = 0, s = largest; ; s = s === 0 ? largest : s - 1) {
    const numTrials = Math.ceil(((largest + 1) / (s + 1)) * eta ** s - SLACK);
    if (number < first + numTrials) {
      const milestones = Array.from({ length: s }, (_, k) => Math.round(numSteps * eta ** (k - s)));
      return { first, numTrials, milestones };
    }
    first += numTrials;
  }
}
