/** A study's trials and what is to be run next: no files, no processes, no clock. */
import type { JsonValue } from '../json.ts';
import type { Scheduler } from './schedulers/scheduler.ts';
import type { PastTrial, Searcher } from './searchers/searcher.ts';
import type { Space, TrialValues } from './space.ts';

export type TrialState = PastTrial['state'];

/** One trial; `scores` and `score` are greater when better, whatever the metric's mode is. */
export interface Trial {
  readonly number: number;
  readonly values: TrialValues;
  readonly state: TrialState;
  /** Mean over seeds at each milestone reached, and at the end. */
  readonly scores: readonly number[];
  /** The newest of `scores`; null before the first. */
  readonly score: number | null;
  /** Environment steps of one seed at the newest score. */
  readonly numSteps: number;
  /** Why it failed. */
  readonly reason: string | null;
}

/** A stretch of one seed of a trial, from where it stands to `numSteps`. */
export interface Job {
  readonly trial: Trial;
  readonly seedIndex: number;
  readonly numSteps: number;
}

export interface StudyRules {
  readonly space: Space;
  readonly seed: number;
  readonly searcher: Searcher;
  readonly scheduler: Scheduler;
  readonly numTrials: number;
  readonly seedsPerTrial: number;
  /** Environment steps of a whole trial, a seed. */
  readonly trialSteps: number;
  /** A suggestion knows the results of all trials but the last so many before it, which it takes as running. */
  readonly suggestionLag: number;
  /** No trial begins once those that a suggestion knows have taken so many environment steps together; null = no bound. */
  readonly budgetSteps: number | null;
}

/** What happened, in the order in which it must be told again to have the same study. */
export type StudyEvent =
  | { readonly type: 'created'; readonly number: number; readonly values: TrialValues }
  | { readonly type: 'scored'; readonly number: number; readonly numSteps: number; readonly score: number }
  | {
      readonly type: 'ended';
      readonly number: number;
      readonly state: Exclude<TrialState, 'running'>;
      readonly reason: string | null;
    };

export interface Study {
  readonly trials: readonly Trial[];
  /** The next stretch to run; null while none can begin. Asks the searcher for a new trial where no old one has anything to run. */
  nextJob(): Job | null;
  /** The metric of a finished stretch, greater is better. */
  finish(job: Job, score: number): void;
  /** Ends the trial of a stretch that failed for good. */
  fail(job: Job, reason: string): void;
  /** A stretch was given up without a result: it is to be run again. */
  release(job: Job): void;
  /** No new trial begins from now on. */
  close(): void;
  /** Takes one event of an earlier process. */
  replay(event: StudyEvent): void;
}

interface Record {
  readonly number: number;
  readonly values: TrialValues;
  state: TrialState;
  readonly scores: number[];
  readonly steps: number[];
  /** By seed, of the stretch after the newest score; undefined: not finished. */
  seedScores: (number | undefined)[];
  readonly begun: Set<number>;
  reason: string | null;
}

/** @param onEvent told of everything new, before anything follows from it. */
export function createStudy(rules: StudyRules, onEvent: (event: StudyEvent) => void): Study {
  const records: Record[] = [];
  const ends = [...rules.scheduler.milestones, rules.trialSteps];
  let isClosed = false;
  const apply = (event: StudyEvent) => applyEvent(records, event);
  const emit = (event: StudyEvent) => {
    onEvent(event);
    apply(event);
  };
  const jobOf = (record: Record): Job | null => {
    const numSteps = ends[record.scores.length];
    for (let seedIndex = 0; seedIndex < rules.seedsPerTrial; seedIndex++) {
      if (record.begun.has(seedIndex)) continue;
      record.begun.add(seedIndex);
      return { trial: viewOf(record), seedIndex, numSteps };
    }
    return null;
  };
  return {
    get trials() {
      return records.map(viewOf);
    },
    nextJob() {
      for (const record of records) {
        const verdict = record.state === 'running' ? judge(record, records, rules.scheduler) : 'wait';
        if (verdict === 'stop')
          emit({ type: 'ended', number: record.number, state: 'stopped', reason: null });
        const job = verdict === 'go' ? jobOf(record) : null;
        if (job !== null) return job;
      }
      if (isClosed || !mayBegin(records, rules)) return null;
      const values = rules.searcher(searchContext(records, rules));
      if (values === null) {
        isClosed = true;
        return null;
      }
      emit({ type: 'created', number: records.length, values });
      return jobOf(records[records.length - 1]);
    },
    finish({ trial, seedIndex, numSteps }, score) {
      const record = records[trial.number];
      if (record.state !== 'running') return;
      record.seedScores[seedIndex] = score;
      const known = record.seedScores.filter((value): value is number => value !== undefined);
      if (known.length < rules.seedsPerTrial) return;
      emit({
        type: 'scored',
        number: trial.number,
        numSteps,
        score: record.seedScores.reduce<number>((sum, value) => sum + (value ?? 0), 0) / known.length,
      });
      if (record.scores.length === ends.length)
        emit({ type: 'ended', number: trial.number, state: 'complete', reason: null });
    },
    fail({ trial }, reason) {
      if (records[trial.number].state === 'running')
        emit({ type: 'ended', number: trial.number, state: 'failed', reason });
    },
    release: ({ trial, seedIndex }) => {
      records[trial.number].begun.delete(seedIndex);
    },
    close: () => {
      isClosed = true;
    },
    replay: apply,
  };
}

function applyEvent(records: Record[], event: StudyEvent): void {
  if (event.type === 'created') {
    const { number, values } = event;
    records.push({
      number,
      values,
      state: 'running',
      scores: [],
      steps: [],
      seedScores: [],
      begun: new Set(),
      reason: null,
    });
    return;
  }
  const record = records[event.number];
  if (event.type === 'ended') {
    record.state = event.state;
    record.reason = event.reason;
    return;
  }
  record.scores.push(event.score);
  record.steps.push(event.numSteps);
  record.seedScores = [];
  record.begun.clear();
}

/** Whether a running trial may go on from its newest score; 'wait' while trials before it have not come so far. */
function judge(record: Record, records: readonly Record[], scheduler: Scheduler): 'go' | 'stop' | 'wait' {
  const k = record.scores.length - 1;
  if (k < 0 || k >= scheduler.milestones.length) return 'go';
  const before = records.slice(0, record.number);
  if (before.some(({ state, scores }) => state === 'running' && scores.length <= k)) return 'wait';
  return scheduler.goesOn(
    record.scores,
    before.map(({ scores }) => scores.slice(0, k + 1)),
  )
    ? 'go'
    : 'stop';
}

function mayBegin(
  records: readonly Record[],
  { numTrials, suggestionLag, budgetSteps, seedsPerTrial }: StudyRules,
): boolean {
  if (records.length >= numTrials) return false;
  const known = records.slice(0, Math.max(0, records.length - suggestionLag));
  if (known.some(({ state }) => state === 'running')) return false;
  const numSpent = known.reduce((sum, { steps }) => sum + seedsPerTrial * (steps.at(-1) ?? 0), 0);
  return budgetSteps === null || numSpent < budgetSteps;
}

function searchContext(records: readonly Record[], { space, seed, suggestionLag }: StudyRules) {
  const number = records.length;
  const past = records.map((record): PastTrial => {
    const isKnown = record.number < number - suggestionLag;
    const { values, state, score, numSteps } = viewOf(record);
    return isKnown
      ? { values, state, score, numSteps }
      : { values, state: 'running', score: null, numSteps: 0 };
  });
  return { space, seed, number, past };
}

function viewOf({ number, values, state, scores, steps, reason }: Record): Trial {
  return {
    number,
    values,
    state,
    scores: [...scores],
    score: scores.at(-1) ?? null,
    numSteps: steps.at(-1) ?? 0,
    reason,
  };
}

/** Complete trials first, by score, older ones first among equals; null without any. */
export function bestTrial(trials: readonly Trial[]): Trial | null {
  const complete = trials.filter(({ state, score }) => state === 'complete' && score !== null);
  if (complete.length === 0) return null;
  return complete.reduce((best, trial) => ((trial.score as number) > (best.score as number) ? trial : best));
}

/** For a table or a message: `learningRate 0.000312, numEpochs 10`. */
export function valuesText(values: TrialValues): string {
  const text = (value: JsonValue) =>
    typeof value === 'number' ? String(Number(value.toPrecision(4))) : JSON.stringify(value);
  return Object.entries(values)
    .map(([name, value]) => `${name} ${text(value)}`)
    .join(', ');
}
