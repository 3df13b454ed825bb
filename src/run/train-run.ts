/** The driver: calls `train()` until a stop condition holds, and keeps logs, checkpoints and hooks going around it. */
import { join } from 'node:path';
import type { Algorithm, TrainResult } from '../algorithm/algorithm.ts';
import { checkpointName } from '../checkpoint/load-checkpoint.ts';
import { ConfigError } from '../errors.ts';
import type { JsonValue } from '../json.ts';
import { rowOf } from '../metrics/metrics-writer.ts';
import { raiseTrainingBest, updateBest } from './best-so-far.ts';
import { type CallbackRunner, createCallbackRunner } from './callback-runner.ts';
import { limitRepeats } from './repeated-warnings.ts';
import type { RunControl, RunHooks, RunWarning } from './run-callbacks.ts';
import { type CheckpointPolicy, createRunCheckpoints, type RunCheckpoints } from './run-checkpoints.ts';
import type { RunFolder } from './run-folder.ts';
import { type SignalWatch, watchSignals } from './run-signals.ts';
import { type BestSoFar, FRESH_RUN, type RunState, type RunSummary, type StopReason } from './run-state.ts';
import { openRunWriters, type RunWriters, type WriterChoice } from './run-writers.ts';
import { type StopConditions, stopReasonOf } from './stop-conditions.ts';

export interface RunOptions extends StopConditions, CheckpointPolicy, WriterChoice {
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
  /** An error in a hook ends the run, with a checkpoint, and is thrown. @defaultValue false */
  readonly strictCallbacks?: boolean;
}

/** What changes while a run goes on. */
interface Progress {
  /** Of the whole run, over all resumes, up to the end of the last iteration: what logs, checkpoints and stop conditions agree on. */
  seconds: number;
  numEpisodes: number;
  episodeReturnMean: number | null;
  best: BestSoFar | null;
  /** When a training mean last became the best, in seconds of this process. */
  bestAt: number;
  isStopRequested: boolean;
}

/** What a run consists of. */
interface Run {
  readonly algorithm: Algorithm;
  readonly options: RunOptions;
  readonly callbacks: CallbackRunner;
  readonly control: RunControl;
  readonly writers: RunWriters | null;
  readonly checkpoints: RunCheckpoints | null;
  readonly progress: Progress;
  readonly secondsBefore: number;
  /** Since this process began to train. */
  readonly secondsHere: () => number;
}

/**
 * Trains until a stop condition holds, a hook asks for it, or a signal comes.
 *
 * After every iteration: a row in the logs, the hooks, then a checkpoint if one is due (every `checkpointEvery` iterations or
 * `checkpointSeconds`, on a new best, at the end). Stop conditions are looked at between iterations only, and once before the
 * first, so a finished run that is resumed ends at once. Seconds and the best so far go on over resumes.
 *
 * The caller owns the algorithm and the folder: it calls `algorithm.stop()` and `folder.close()`.
 *
 * @throws whatever `train()` threw, or an error that nobody caught (see {@link RunOptions.handleSignals}), after an attempt to save the last completed iteration; under `strictCallbacks` a
 *   hook's error; CheckpointError `CHECKPOINT_LOCKED` once another process has taken the folder, to which nothing is written then.
 *   A checkpoint or log that cannot be written is a warning; see {@link RunSummary.checkpointError}.
 */
export async function runTraining(
  algorithm: Algorithm,
  options: RunOptions,
  hooks: RunHooks = {},
): Promise<RunSummary> {
  const { warn, finish: finishWarnings } = limitRepeats(hooks.onWarning ?? printWarning);
  const signals = options.handleSignals ? watchSignals((signal) => warn(interruption(signal))) : null;
  try {
    const run = await beginRun(algorithm, options, hooks, warn);
    let reason: StopReason = 'error';
    try {
      reason = await iterate(run, () => interruptionOf(signals));
    } finally {
      // Also after a failure: then this saves the last completed iteration, if the algorithm can still give it.
      await finish(run, reason, warn);
    }
    if (run.callbacks.strictError !== null) throw run.callbacks.strictError;
    if (signals !== null && signals.failure !== null) throw signals.failure;
    return summaryOf(run, reason);
  } finally {
    signals?.dispose();
    finishWarnings();
  }
}

function interruptionOf(signals: SignalWatch | null): 'interrupted' | 'error' | null {
  if (signals === null) return null;
  if (signals.failure !== null) return 'error';
  return signals.received === null ? null : 'interrupted';
}

function interruption(signal: NodeJS.Signals): RunWarning {
  const message = `${signal} came: the run ends after this iteration, with a checkpoint`;
  return { kind: 'interruption', message, error: null };
}

async function beginRun(
  algorithm: Algorithm,
  options: RunOptions,
  hooks: RunHooks,
  warn: (warning: RunWarning) => void,
): Promise<Run> {
  const { folder, resumed = FRESH_RUN } = options;
  const { iteration, numEnvSteps } = algorithm;
  const begin = performance.now();
  const secondsHere = () => (performance.now() - begin) / 1000;
  const progress: Progress = {
    seconds: resumed.seconds,
    numEpisodes: resumed.numEpisodes,
    episodeReturnMean: resumed.episodeReturnMean,
    best: resumed.best,
    bestAt: Number.NEGATIVE_INFINITY,
    isStopRequested: false,
  };
  let writers: RunWriters | null = null;
  let checkpoints: RunCheckpoints | null = null;
  if (folder !== null) {
    await rewind(folder, iteration, progress.best, warn);
    // Elsewhere, or deleted since: then there is no checkpoint that the next best one would have to beat.
    if ((await folder.readPointer('best')) !== (progress.best?.iteration ?? null)) progress.best = null;
    writers = openRunWriters(folder.path, options, { iteration, numEnvSteps }, warn, folder.check);
    const isHere = (await folder.readPointer('latest')) === iteration;
    const newest = isHere ? join(folder.path, 'checkpoints', checkpointName(iteration)) : null;
    const start = { iteration, newest, best: progress.best, now: secondsHere() };
    checkpoints = createRunCheckpoints(folder, options, start, writers.sync, warn);
  }
  const control: RunControl = {
    algorithm,
    stop: () => {
      progress.isStopRequested = true;
    },
    setSchedule: (name, schedule) => setSchedule(algorithm, name, schedule),
  };
  return {
    algorithm,
    options,
    callbacks: createCallbackRunner(hooks.callbacks ?? [], options.strictCallbacks ?? false, warn),
    control,
    writers,
    checkpoints,
    progress,
    secondsBefore: resumed.seconds,
    secondsHere,
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

async function iterate(run: Run, interrupted: () => StopReason | null): Promise<StopReason> {
  const { algorithm, progress, checkpoints, options, callbacks } = run;
  for (;;) {
    const reason = interrupted() ?? stopReasonNow(run);
    if (reason !== null) return reason;
    const result = await algorithm.train();
    progress.seconds = run.secondsBefore + run.secondsHere();
    progress.numEpisodes = result.numEpisodes;
    progress.episodeReturnMean = result.episodeReturnMean;
    if (checkpoints !== null) progress.best = checkpoints.confirmBest(progress.best);
    const isBest = updateBest(progress, result, options.metricsWindow, run.secondsHere());
    run.writers?.write(rowOf(result, progress.seconds, Date.now()));
    await report(run, result);
    if (checkpoints !== null && (isBest || checkpoints.isDue(result.iteration, run.secondsHere()))) {
      await save(run, checkpoints, isBest);
    }
    await reportCheckpoints(run);
    if (callbacks.strictError !== null) return 'callback';
  }
}

function stopReasonNow(run: Run): StopReason | null {
  const { algorithm, progress, options } = run;
  if (progress.isStopRequested) return 'callback';
  const { iteration, numEnvSteps } = algorithm;
  const { numEpisodes, episodeReturnMean, seconds } = progress;
  const state = { iteration, numEnvSteps, numEpisodes, episodeReturnMean, seconds };
  return stopReasonOf(options, state, options.metricsWindow);
}

async function report(run: Run, result: TrainResult): Promise<void> {
  const { callbacks, control } = run;
  const { iteration, numEnvSteps } = result;
  for (const failure of result.workerFailures ?? []) {
    await callbacks.call('onWorkerFailure', { ...control, failure, iteration });
  }
  for (const fault of result.envFaults ?? []) {
    await callbacks.call('onEnvFault', { ...control, fault, iteration });
  }
  if (callbacks.has('onEpisodeEnd')) {
    for (const episode of result.episodes) {
      await callbacks.call('onEpisodeEnd', { ...control, episode, iteration });
    }
  }
  const { evaluation } = result;
  if (evaluation !== undefined) {
    await callbacks.call('onEvaluate', { ...control, evaluation, iteration, numEnvSteps });
  }
  const { best, seconds } = run.progress;
  await callbacks.call('onIterationEnd', {
    ...control,
    result,
    seconds,
    secondsHere: run.secondsHere(),
    best,
  });
}

async function reportCheckpoints(run: Run): Promise<void> {
  for (const saved of run.checkpoints?.takeFinished() ?? []) {
    await run.callbacks.call('onCheckpoint', { ...run.control, ...saved });
  }
}

async function save(run: Run, checkpoints: RunCheckpoints, isBest: boolean): Promise<void> {
  const { algorithm, progress } = run;
  const content = await algorithm.getState(run.options.folder?.storedSegments);
  const { seconds, best, numEpisodes, episodeReturnMean } = progress;
  const state: RunState = { seconds, best, numEpisodes, episodeReturnMean };
  await checkpoints.save(content, state, algorithm.iteration, isBest, run.secondsHere());
}

async function finish(run: Run, reason: StopReason, warn: (warning: RunWarning) => void): Promise<void> {
  try {
    if (run.checkpoints !== null) await saveLast(run, run.checkpoints, reason, warn);
  } finally {
    run.writers?.close();
    await run.callbacks.call('onStop', summaryOf(run, reason));
  }
}

async function saveLast(
  run: Run,
  checkpoints: RunCheckpoints,
  reason: StopReason,
  warn: (warning: RunWarning) => void,
): Promise<void> {
  const { iteration } = run.algorithm;
  await checkpoints.settle();
  // A run that failed before it learned anything has nothing to keep.
  const isNeeded = !checkpoints.isSaved(iteration) && !(reason === 'error' && iteration === 0);
  if (isNeeded) {
    try {
      raiseTrainingBest(run.progress, iteration, run.options.metricsWindow);
      await save(run, checkpoints, run.progress.best?.iteration === iteration);
    } catch (error) {
      // Only after a failed train() may getState() refuse; that failure is the one to report.
      if (reason !== 'error') throw error;
      const text = error instanceof Error ? error.message : String(error);
      warn({ kind: 'checkpoint', message: `Iteration ${iteration} could not be saved: ${text}`, error });
    }
    await checkpoints.settle();
  }
  await reportCheckpoints(run);
}

function summaryOf(run: Run, stopReason: StopReason): RunSummary {
  const { algorithm, progress, checkpoints, options } = run;
  return {
    stopReason,
    iterations: algorithm.iteration,
    envSteps: algorithm.numEnvSteps,
    seconds: progress.seconds,
    episodeReturnMean: progress.episodeReturnMean,
    best: progress.best,
    checkpoint: checkpoints?.newest ?? null,
    runDir: options.folder?.path ?? null,
    checkpointError: checkpoints?.failure ?? null,
  };
}

function printWarning({ message }: RunWarning): void {
  process.stderr.write(`operant: ${message}\n`);
}
