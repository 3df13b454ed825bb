/** A trial as everybody sees it, and what happens to it. */
import type { TrialValues } from '../config/search-space.ts';
import type { JsonValue } from '../json.ts';

/** `waiting`: at a milestone, until the scheduler says what becomes of it. */
export type TrialState = 'running' | 'waiting' | 'complete' | 'stopped' | 'failed';

/** A trial that goes on from another one's checkpoint, with values made from that one's. */
export interface Clone {
  /** The trial whose checkpoint it was. */
  readonly source: number;
  /** Environment steps of one seed at which that was. */
  readonly numSteps: number;
  /** From there on. */
  readonly values: TrialValues;
}

/** One trial; `scores` and `score` are greater when better, whatever the metric's mode is. */
export interface Trial {
  readonly number: number;
  /** With which it runs now. */
  readonly values: TrialValues;
  /** With which it began. */
  readonly firstValues: TrialValues;
  readonly state: TrialState;
  /** Mean over seeds at each milestone reached, and at the end. */
  readonly scores: readonly number[];
  /** The newest of `scores`; null before the first. */
  readonly score: number | null;
  /** Environment steps of one seed at each of `scores`. */
  readonly steps: readonly number[];
  /** The newest of `steps`; 0 before the first. */
  readonly numSteps: number;
  /** How it came to its values, oldest first; empty but with `pbt`. */
  readonly clones: readonly Clone[];
  /** Why it failed. */
  readonly reason: string | null;
}

/** A stretch of one seed of a trial, from where it stands to `numSteps`. */
export interface Job {
  readonly trial: Trial;
  readonly seedIndex: number;
  readonly numSteps: number;
}

/** What happened. Told again, in any order that keeps a trial's own, it makes the same study. */
export type StudyEvent =
  | { readonly type: 'created'; readonly number: number; readonly values: TrialValues }
  | { readonly type: 'scored'; readonly number: number; readonly numSteps: number; readonly score: number }
  | { readonly type: 'cloned'; readonly number: number; readonly clone: Clone }
  | {
      readonly type: 'ended';
      readonly number: number;
      readonly state: Exclude<TrialState, 'running' | 'waiting'>;
      readonly reason: string | null;
    };

/** Complete trials only, by score, older ones first among equals; null without any. */
export function bestTrial(trials: readonly Trial[]): Trial | null {
  const complete = trials.filter(({ state, score }) => state === 'complete' && score !== null);
  if (complete.length === 0) return null;
  return complete.reduce((best, trial) => ((trial.score as number) > (best.score as number) ? trial : best));
}

/** What a checkpoint was trained with from the beginning: stretches of steps, each with its values, across the trials that it was cloned from. */
export interface Schedule {
  /** The trial that ran the stretch. */
  readonly number: number;
  /** Environment steps of one seed at its end. */
  readonly untilSteps: number;
  readonly values: TrialValues;
}

/** @param untilSteps how far the trial is followed. */
export function scheduleOf(trials: readonly Trial[], number: number, untilSteps: number): Schedule[] {
  const trial = trials[number];
  const clone = trial.clones.findLast(({ numSteps }) => numSteps < untilSteps);
  if (clone === undefined) return [{ number, untilSteps, values: trial.firstValues }];
  const before = scheduleOf(trials, clone.source, clone.numSteps);
  return [...before, { number, untilSteps, values: clone.values }];
}

/** For a table or a message: `learningRate 0.000312, numEpochs 10`. */
export function valuesText(values: TrialValues): string {
  const text = (value: JsonValue) =>
    typeof value === 'number' ? String(Number(value.toPrecision(4))) : JSON.stringify(value);
  return Object.entries(values)
    .map(([name, value]) => `${name} ${text(value)}`)
    .join(', ');
}
