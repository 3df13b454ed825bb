/**
 * A study's trials and what is to be run next: no files, no processes, no clock.
 *
 * A study is what some machines of equal speed would have made of it, `numSlots` of them, each with one trial at a time, if an environment
 * step took one unit of time: scheduler and searcher see what has ended in that time, in that order (of equals the lower number first). How
 * many processes truly run, and which ends first, decides only how long the study takes. So its journal's scores are all that has to be
 * told again for the same study to go on.
 */
import type { Space } from '../config/search-space.ts';
import type { ScheduledStudy, Scheduler } from './schedulers/scheduler.ts';
import type { Accepts, PastTrial, Searcher } from './searchers/searcher.ts';
import type { Job, StudyEvent, Trial } from './trial.ts';
import {
  addClone,
  addScore,
  createRecord,
  type PastEvents,
  replayInto,
  scheduledOf,
  type TrialRecord,
  viewOf,
} from './trial-record.ts';

export interface StudyRules {
  readonly space: Space;
  /** As in `SearchContext`. */
  readonly accepts?: Accepts | undefined;
  readonly seed: number;
  readonly searcher: Searcher;
  readonly scheduler: Scheduler;
  readonly numTrials: number;
  readonly seedsPerTrial: number;
  /** Environment steps of a whole trial, a seed. */
  readonly trialSteps: number;
  /** Machines that the study is made for. */
  readonly numSlots: number;
  /** No trial begins once so many environment steps were taken together; null = no bound. */
  readonly budgetSteps: number | null;
}

export interface Study {
  readonly trials: readonly Trial[];
  /** The next stretch to run; null while none can begin. Asks the searcher for a new trial where the scheduler leaves room. */
  nextJob(): Job | null;
  /** The metric of a finished stretch, greater is better. */
  finish(job: Job, score: number): void;
  /** Ends the trial of a stretch that failed for good. */
  fail(job: Job, reason: string): void;
  /** A stretch was given up without a result: it is to be run again. */
  release(job: Job): void;
  /** No new trial begins from now on. */
  close(): void;
  /** Takes one event of an earlier process, before anything else is asked. */
  replay(event: StudyEvent): void;
}

/** @param onEvent told of everything new, before anything follows from it. */
export function createStudy(rules: StudyRules, onEvent: (event: StudyEvent) => void): Study {
  const state: StudyState = { rules, records: [], past: [], time: 0, isClosed: false, onEvent };
  return {
    get trials() {
      return state.records.map(viewOf);
    },
    nextJob() {
      advance(state);
      for (const record of byEnd(state.records)) {
        if (record.arrived !== null) continue;
        for (let seedIndex = 0; seedIndex < rules.seedsPerTrial; seedIndex++) {
          if (record.begun.has(seedIndex)) continue;
          record.begun.add(seedIndex);
          return { trial: viewOf(record), seedIndex, numSteps: record.untilSteps };
        }
      }
      return null;
    },
    finish({ trial: { number }, seedIndex, numSteps }, score) {
      const record = state.records[number];
      if (record.arrived !== null) return;
      record.seedScores[seedIndex] = score;
      const known = record.seedScores.filter((value): value is number => value !== undefined);
      if (known.length < rules.seedsPerTrial) return;
      const mean = record.seedScores.reduce<number>((sum, value) => sum + (value ?? 0), 0) / known.length;
      onEvent({ type: 'scored', number, numSteps, score: mean });
      record.arrived = { score: mean };
    },
    fail({ trial: { number } }, reason) {
      const record = state.records[number];
      if (record.arrived !== null) return;
      onEvent({ type: 'ended', number, state: 'failed', reason });
      record.told = 'failed';
      record.arrived = { reason };
    },
    release: ({ trial, seedIndex }) => {
      state.records[trial.number].begun.delete(seedIndex);
    },
    close: () => {
      state.isClosed = true;
    },
    replay: (event) => replayInto(state.past, event),
  };
}

interface StudyState {
  readonly rules: StudyRules;
  readonly records: TrialRecord[];
  /** What an earlier process wrote down, by trial; what follows from it is not told again. */
  readonly past: PastEvents[];
  /** Of the machines, in environment steps. */
  time: number;
  isClosed: boolean;
  readonly onEvent: (event: StudyEvent) => void;
}

/** Lets the machines' time pass as far as results are known. */
function advance(state: StudyState): void {
  for (;;) {
    fillSlots(state);
    const [next] = byEnd(state.records);
    if (next === undefined) endWaiting(state);
    if (next === undefined || next.arrived === null) return;
    state.time = next.endTime;
    take(next, state);
  }
}

/** Stretches under way, in the order in which they end. */
function byEnd(records: readonly TrialRecord[]): TrialRecord[] {
  const running = records.filter((record) => record.state === 'running');
  return running.sort((a, b) => a.endTime - b.endTime || a.number - b.number);
}

/** The scheduler's decisions, then new trials, while there is room. */
function fillSlots(state: StudyState): void {
  const { records, rules } = state;
  const hasRoom = () => records.filter(({ state: its }) => its === 'running').length < rules.numSlots;
  while (hasRoom()) {
    const decision = rules.scheduler.decide(scheduledStudy(state));
    if (decision === null) {
      const wasFull = !mayBegin(state);
      // a searcher that has nothing left makes it full, which a scheduler may have waited for
      if (!beginTrial(state) && wasFull) return;
      continue;
    }
    const record = records[decision.number];
    if (decision.action === 'stop') end(record, 'stopped', state);
    else {
      if (decision.action === 'clone') {
        const { source, values } = decision;
        const clone = { source, numSteps: record.steps.at(-1) as number, values };
        if (!addClone(record, clone)) state.onEvent({ type: 'cloned', number: record.number, clone });
      }
      run(record, state);
    }
  }
}

function scheduledStudy(state: StudyState): ScheduledStudy {
  return { trials: state.records.map(scheduledOf), isFull: !mayBegin(state) };
}

/** Sends a trial to its next milestone, or to its end. */
function run(record: TrialRecord, { rules, time }: StudyState): void {
  const from = record.steps.at(-1) ?? 0;
  const ends = [...rules.scheduler.milestonesOf(record.number), rules.trialSteps];
  record.state = 'running';
  record.untilSteps = ends[record.scores.length];
  record.endTime = time + record.untilSteps - from;
  record.seedScores = [];
  record.begun.clear();
  const { scores, reason } = record.past ?? {};
  const score = scores?.get(record.untilSteps);
  record.arrived = score !== undefined ? { score } : reason === undefined ? null : { reason };
}

/** What a stretch's end makes of its trial. */
function take(record: TrialRecord, state: StudyState): void {
  const { arrived, untilSteps } = record;
  if (arrived === null) return;
  if ('reason' in arrived) {
    record.state = 'failed';
    record.reason = arrived.reason;
    return;
  }
  addScore(record, untilSteps, arrived.score);
  if (untilSteps === state.rules.trialSteps) end(record, 'complete', state);
  else record.state = 'waiting';
}

function end(record: TrialRecord, its: 'complete' | 'stopped', { onEvent }: StudyState): void {
  record.state = its;
  if (record.told === its) return;
  record.told = its;
  onEvent({ type: 'ended', number: record.number, state: its, reason: null });
}

/** When nothing runs and nothing can begin, nobody is left to decide about those that wait. */
function endWaiting(state: StudyState): void {
  for (const record of state.records) if (record.state === 'waiting') end(record, 'stopped', state);
}

function mayBegin({ records, isClosed, rules: { numTrials, budgetSteps, seedsPerTrial } }: StudyState) {
  if (isClosed || records.length >= numTrials) return false;
  const numSpent = records.reduce((sum, { steps }) => sum + seedsPerTrial * (steps.at(-1) ?? 0), 0);
  return budgetSteps === null || numSpent < budgetSteps;
}

function beginTrial(state: StudyState): boolean {
  if (!mayBegin(state)) return false;
  const { records, rules, past } = state;
  const number = records.length;
  const known = past[number];
  const { space, accepts, seed, searcher } = rules;
  const values = known?.values ?? searcher({ space, accepts, seed, number, past: records.map(pastOf) });
  if (values === null) {
    state.isClosed = true;
    return false;
  }
  if (known === undefined) state.onEvent({ type: 'created', number, values });
  const record = createRecord(number, values, known);
  records.push(record);
  run(record, state);
  return true;
}

/** To a searcher, a trial that waits is what it would be if it never went on. */
function pastOf(record: TrialRecord): PastTrial {
  const { firstValues: values, state, score, numSteps } = viewOf(record);
  if (state === 'running') return { values, state, score: null, numSteps: 0 };
  return { values, state: state === 'waiting' ? 'stopped' : state, score, numSteps };
}
