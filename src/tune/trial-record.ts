/** What a study keeps of a trial. */
import type { TrialValues } from '../config/search-space.ts';
import type { ScheduledTrial } from './schedulers/scheduler.ts';
import type { Clone, StudyEvent, Trial, TrialState } from './trial.ts';

/** What an earlier process wrote down of a trial. */
export interface PastEvents {
  readonly values: TrialValues;
  /** By environment steps. */
  readonly scores: Map<number, number>;
  numClones: number;
  /** Why it failed. */
  reason?: string;
  /** How it ended, as the journal has it. */
  state: TrialState;
}

export interface TrialRecord {
  readonly number: number;
  readonly firstValues: TrialValues;
  readonly past: PastEvents | undefined;
  state: TrialState;
  readonly scores: number[];
  readonly steps: number[];
  readonly clones: Clone[];
  /** The stretch under way: its end in environment steps, and in the time of the study's machines. */
  untilSteps: number;
  endTime: number;
  /** By seed; undefined: not finished. */
  seedScores: (number | undefined)[];
  /** Seeds that were given out. */
  readonly begun: Set<number>;
  /** What came of the stretch, before its end is due; null: not known yet. */
  arrived: { readonly score: number } | { readonly reason: string } | null;
  /** How the journal says that it ended. */
  told: TrialState;
  reason: string | null;
}

export function createRecord(number: number, firstValues: TrialValues, past?: PastEvents): TrialRecord {
  return {
    number,
    firstValues,
    past,
    state: 'running',
    scores: [],
    steps: [],
    clones: [],
    untilSteps: 0,
    endTime: 0,
    seedScores: [],
    begun: new Set(),
    arrived: null,
    told: past?.state ?? 'running',
    reason: null,
  };
}

export function addScore(record: TrialRecord, numSteps: number, score: number): void {
  record.scores.push(score);
  record.steps.push(numSteps);
}

/** @returns whether the journal has it already. */
export function addClone(record: TrialRecord, clone: Clone): boolean {
  record.clones.push(clone);
  return record.clones.length <= (record.past?.numClones ?? 0);
}

/** What was asked for is in the journal under the trial's number. */
export function replayInto(past: PastEvents[], event: StudyEvent): void {
  if (event.type === 'created') {
    past[event.number] = { values: event.values, scores: new Map(), numClones: 0, state: 'running' };
    return;
  }
  const trial = past[event.number];
  if (event.type === 'scored') trial.scores.set(event.numSteps, event.score);
  else if (event.type === 'cloned') trial.numClones += 1;
  else {
    trial.state = event.state;
    if (event.state === 'failed') trial.reason = event.reason ?? 'unknown';
  }
}

const valuesOf = ({ clones, firstValues }: TrialRecord) => clones.at(-1)?.values ?? firstValues;

export function scheduledOf(record: TrialRecord): ScheduledTrial {
  const { number, state, scores } = record;
  return { number, values: valuesOf(record), state, scores };
}

export function viewOf(record: TrialRecord): Trial {
  const { number, firstValues, state, scores, steps, clones, reason } = record;
  return {
    number,
    values: valuesOf(record),
    firstValues,
    state,
    scores: [...scores],
    score: scores.at(-1) ?? null,
    steps: [...steps],
    numSteps: steps.at(-1) ?? 0,
    clones: [...clones],
    reason,
  };
}
