/** What a run consists of while it goes on, and how it comes to be. */
import { join } from 'node:path';
import type { Algorithm } from '../algorithm/algorithm.ts';
import type { LeagueRow } from '../algorithm/league/league-row.ts';
import { checkpointName } from '../checkpoint/load-checkpoint.ts';
import { ConfigError } from '../errors.ts';
import type { JsonValue } from '../json.ts';
import { type CallbackRunner, createCallbackRunner } from './callback-runner.ts';
import { hyperparametersOf } from './hyperparameters.ts';
import type { RunControl, RunHooks, RunWarning } from './run-callbacks.ts';
import { type CheckpointPolicy, createRunCheckpoints, type RunCheckpoints } from './run-checkpoints.ts';
import type { RunFolder } from './run-folder.ts';
import { type BestSoFar, FRESH_RUN, type RunState } from './run-state.ts';
import { openRunWriters, type RunWriters, type WriterChoice } from './run-writers.ts';
import type { StopConditions } from './stop-conditions.ts';
import { createToldMetrics, type ToldMetrics } from './told-metrics.ts';

export interface RunOptions extends StopConditions, CheckpointPolicy, WriterChoice {
  /** Draw `curves.svg` at the end, from progress.jsonl. @defaultValue false */
  readonly curves?: boolean;
  /** Where everything is written; null: nothing is. The caller closes it. */
  readonly folder: RunFolder | null;
  /** The driver's part of the checkpoint that the algorithm was restored from; absent for a fresh run. */
  readonly resumed?: RunState;
  /** Episodes that `stopReturn` and `best` need. */
  readonly metricsWindow: number;
  /**
   * SIGINT, SIGTERM and SIGHUP end the run after the current iteration, with a checkpoint; a second SIGINT or SIGTERM kills at once. So do
   * errors that {@link failRuns} is given.
   */
  readonly handleSignals: boolean;
  /** Ends the run as a signal does. */
  readonly signal?: AbortSignal;
  /** An error in a hook ends the run, with a checkpoint, and is thrown. @defaultValue false */
  readonly strictCallbacks?: boolean;
}

/** What changes while a run goes on: what its checkpoints remember, as of the end of the last iteration, and whether a hook ends it. */
export type Progress = { -readonly [K in keyof RunState]: RunState[K] } & { isStopRequested: boolean };

/** What a run consists of. */
export interface Run {
  readonly algorithm: Algorithm;
  readonly options: RunOptions;
  readonly callbacks: CallbackRunner;
  readonly control: RunControl;
  readonly writers: RunWriters | null;
  readonly checkpoints: RunCheckpoints | null;
  readonly progress: Progress;
  /** Of the last iteration of this process. */
  readonly latest: { metrics: Readonly<Record<string, number>>; league: readonly LeagueRow[] | null };
  readonly told: ToldMetrics;
  readonly secondsBefore: number;
  /** Since this process began to train. */
  readonly secondsHere: () => number;
  readonly warn: (warning: RunWarning) => void;
}

/** Opens logs and checkpoints where the algorithm stands now. */
export async function beginRun(
  algorithm: Algorithm,
  options: RunOptions,
  hooks: RunHooks,
  warn: (warning: RunWarning) => void,
): Promise<Run> {
  const { folder, resumed = FRESH_RUN } = options;
  const { iteration, numEnvSteps } = algorithm;
  const begin = performance.now();
  const secondsHere = () => (performance.now() - begin) / 1000;
  const progress: Progress = { ...resumed, isStopRequested: false };
  const told = createToldMetrics();
  let writers: RunWriters | null = null;
  let checkpoints: RunCheckpoints | null = null;
  if (folder !== null) {
    await rewind(folder, iteration, progress.best, warn);
    // Elsewhere, or deleted since: then there is no checkpoint that the next best one would have to beat.
    if ((await folder.readPointer('best')) !== (progress.best?.iteration ?? null)) progress.best = null;
    const hyperparameters = hyperparametersOf(algorithm.config);
    const start = { iteration, numEnvSteps, hyperparameters };
    writers = openRunWriters(folder.path, options, start, warn, folder.check);
    const isHere = (await folder.readPointer('latest')) === iteration;
    const newest = isHere ? join(folder.path, 'checkpoints', checkpointName(iteration)) : null;
    const saved = { iteration, newest, best: progress.best, now: secondsHere() };
    checkpoints = createRunCheckpoints(folder, options, saved, writers.sync, warn);
  }
  const control: RunControl = {
    algorithm,
    stop: () => {
      progress.isStopRequested = true;
    },
    setSchedule: (name, schedule) => setSchedule(algorithm, name, schedule),
    addMetrics: told.add,
  };
  return {
    algorithm,
    options,
    callbacks: createCallbackRunner(hooks.callbacks ?? [], options.strictCallbacks ?? false, warn),
    control,
    writers,
    checkpoints,
    progress,
    latest: { metrics: {}, league: null },
    told,
    secondsBefore: resumed.seconds,
    secondsHere,
    warn,
  };
}

async function rewind(
  folder: RunFolder,
  iteration: number,
  best: BestSoFar | null,
  warn: (warning: RunWarning) => void,
): Promise<void> {
  const moved = await folder.rewind(iteration, best?.iteration ?? null);
  if (moved.length === 0) return;
  const message = `The run goes on from iteration ${iteration}: ${moved.length} later checkpoints (${moved.join(', ')}) moved to \`superseded/\``;
  warn({ kind: 'rewind', message, error: null });
}

function setSchedule(algorithm: Algorithm, name: string, schedule: JsonValue): void {
  if (algorithm.setSchedule === undefined) {
    const message = `Algorithm \`${algorithm.name}\` has no schedules, so \`${name}\` cannot be replaced`;
    throw new ConfigError('CONFIG_SCHEDULE', message);
  }
  algorithm.setSchedule(name, schedule);
}
