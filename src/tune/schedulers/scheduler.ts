/** What decides which trials go on. */
import type { TrialValues } from '../../config/search-space.ts';

/** What a scheduler sees of a trial. */
export interface ScheduledTrial {
  readonly number: number;
  readonly values: TrialValues;
  readonly state: 'running' | 'waiting' | 'complete' | 'stopped' | 'failed';
  /** At the milestones that it reached, and at its end. */
  readonly scores: readonly number[];
}

export type Decision =
  | { readonly action: 'go' | 'stop'; readonly number: number }
  /** Go on from the checkpoint of `source` at the milestone at which `number` waits, with these values. */
  | {
      readonly action: 'clone';
      readonly number: number;
      readonly source: number;
      readonly values: TrialValues;
    };

/** Of a study at one moment. */
export interface ScheduledStudy {
  /** By number. */
  readonly trials: readonly ScheduledTrial[];
  /** No trial will begin from now on. */
  readonly isFull: boolean;
}

/** A trial runs from milestone to milestone, and waits at each until it is decided about. Pure: what a study's journal says is all that counts. */
export interface Scheduler {
  /** Environment steps, ascending, all below the steps of a whole trial. */
  milestonesOf(number: number): readonly number[];
  /**
   * Asked again and again while there is room for a trial to run: one decision about a trial that waits, or null when none can be taken
   * now. Room that is left goes to a new trial.
   */
  decide(study: ScheduledStudy): Decision | null;
}

/** All trials run to their end. */
export const runAll: Scheduler = { milestonesOf: () => [], decide: () => null };

/** A rule that decides at once about a trial that comes to a milestone. */
export interface StoppingRule {
  /** As of {@link Scheduler.milestonesOf}, the same for all trials. */
  readonly milestones: readonly number[];
  /**
   * @param own scores of the trial at milestones 0 to k.
   * @param before scores of the other trials at the milestones that they have reached by now, 0 to k at most, in order of numbers.
   */
  goesOn(own: readonly number[], before: readonly (readonly number[])[]): boolean;
}

/** A scheduler that pauses nothing. */
export function stopByRule({ milestones, goesOn }: StoppingRule): Scheduler {
  return {
    milestonesOf: () => milestones,
    decide({ trials }) {
      const trial = trials.find(({ state }) => state === 'waiting');
      if (trial === undefined) return null;
      const { number, scores } = trial;
      const others = trials.filter((other) => other.number !== number);
      const before = others.map((other) => other.scores.slice(0, scores.length));
      return { action: goesOn(scores, before) ? 'go' : 'stop', number };
    },
  };
}

/** Whether a trial has a score at milestone k. */
export const hasReached = ({ scores }: ScheduledTrial, k: number) => scores.length > k;

/** Those that have a score at milestone k, best there first; of equals the older one. */
export function rankAt(trials: readonly ScheduledTrial[], k: number): ScheduledTrial[] {
  const reached = trials.filter((trial) => hasReached(trial, k));
  return reached.sort((a, b) => b.scores[k] - a.scores[k] || a.number - b.number);
}
