/** The driver: calls `train()` until a stop condition holds, and keeps logs, checkpoints and hooks going around it. */
import type { Algorithm, EvaluationResult, TrainResult } from '../algorithm/algorithm.ts';
import { evaluationMetrics } from '../algorithm/evaluation.ts';
import { rowOf } from '../metrics/metrics-writer.ts';
import { beginRun, type Run, type RunOptions } from './begin-run.ts';
import { bookEvaluation, updateBest } from './best-so-far.ts';
import { failureLine, faultLine } from './fault-lines.ts';
import { type Interruption, watchInterruption } from './interruption.ts';
import { limitRepeats } from './repeated-warnings.ts';
import type { EvaluateEvent, RunControl, RunHooks, RunWarning } from './run-callbacks.ts';
import type { RunCheckpoints } from './run-checkpoints.ts';
import type { RunSummary, StopReason } from './run-state.ts';
import { stopReasonOf } from './stop-conditions.ts';
import { writeCurves } from './write-curves.ts';
import { writeHosts } from './write-hosts.ts';
import { writeLeague } from './write-league.ts';

export type { RunOptions } from './begin-run.ts';

/**
 * Trains until a stop condition holds, a hook asks for it, or a signal comes.
 *
 * After every iteration: the hooks, a row in the logs (with what hooks told), then a checkpoint if one is due (every `checkpointEvery` iterations or
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
  const interruption = watchInterruption(options, warn);
  try {
    const run = await beginRun(algorithm, options, hooks, warn);
    for (const message of algorithm.notes ?? []) warn({ kind: 'setup', message, error: null });
    if (options.folder !== null) await writeHosts(options.folder.path, algorithm, warn);
    let reason: StopReason = 'error';
    try {
      reason = await iterate(run, interruption);
    } finally {
      // Also after a failure: then this saves the last completed iteration, if the algorithm can still give it.
      await finish(run, reason, warn);
    }
    if (run.callbacks.strictError !== null) throw run.callbacks.strictError;
    const failure = interruption.failure();
    if (failure !== null) throw failure;
    return summaryOf(run, reason);
  } finally {
    interruption.dispose();
    finishWarnings();
  }
}

async function iterate(run: Run, interruption: Interruption): Promise<StopReason> {
  const { algorithm, progress, checkpoints, options, callbacks } = run;
  const { signal } = interruption;
  if (progress.isEvaluationDue && !signal.aborted) await evaluateLate(run, signal);
  for (;;) {
    const reason = interruption.reason() ?? stopReasonNow(run);
    if (reason !== null) return reason;
    const result = withOwnMetrics(await algorithm.train({ signal }), run);
    progress.isEvaluationDue = result.isEvaluationCut ?? false;
    progress.seconds = run.secondsBefore + run.secondsHere();
    progress.numEpisodes = result.numEpisodes;
    const hadOthers = haveHostsChanged(run.latest.metrics, result.metrics);
    run.latest.metrics = result.metrics;
    run.latest.league = result.league ?? null;
    progress.episodeReturnMean = result.episodeReturnMean;
    if (checkpoints !== null) progress.best = checkpoints.confirmBest(progress.best);
    const isBest = updateBest(progress, result, options.metricsWindow);
    const endedAt = Date.now();
    if (hadOthers && options.folder !== null) await writeHosts(options.folder.path, algorithm, run.warn);
    await report(run, result);
    run.writers?.write(rowOf(result, progress.seconds, endedAt));
    run.told.detach();
    if (checkpoints !== null) await saveIfDue(run, checkpoints, isBest);
    await reportCheckpoints(run);
    if (callbacks.strictError !== null) return 'callback';
  }
}

type Metrics = Readonly<Record<string, number>>;

/** Whether rollout hosts were replaced, came or went. */
function haveHostsChanged(before: Metrics, now: Metrics): boolean {
  return ['Lost', 'Joined', 'Left'].some((what) => {
    const key = `cluster/numHosts${what}`;
    return (now[key] ?? 0) > (before[key] ?? 0);
  });
}

/** With metrics that hooks can add to. */
function withOwnMetrics(result: TrainResult, { told }: Run): TrainResult {
  const metrics = { ...result.metrics };
  told.attach(metrics);
  return { ...result, metrics };
}

function stopReasonNow(run: Run): StopReason | null {
  const { algorithm, progress, options } = run;
  if (progress.isStopRequested) return 'callback';
  const { iteration, numEnvSteps } = algorithm;
  const { numEpisodes, episodeReturnMean, seconds } = progress;
  const state = {
    ...{ iteration, numEnvSteps, numEpisodes, episodeReturnMean, seconds },
    secondsHere: seconds - run.secondsBefore,
    evaluationReturn: progress.lastEvaluation?.returnMean ?? null,
    numEvaluationsWithoutBest: progress.numEvaluationsWithoutBest,
  };
  return stopReasonOf(options, state, options.metricsWindow);
}

async function report(run: Run, result: TrainResult): Promise<void> {
  const { callbacks, control } = run;
  const { iteration, numEnvSteps } = result;
  for (const failure of result.workerFailures ?? []) {
    if (!callbacks.has('onWorkerFailure'))
      run.warn({ kind: 'worker', message: failureLine(failure), error: failure.error });
    await callbacks.call('onWorkerFailure', { ...control, failure, iteration });
  }
  for (const fault of result.envFaults ?? []) {
    if (!callbacks.has('onEnvFault'))
      run.warn({ kind: 'environment', message: faultLine(fault), error: fault.error });
    await callbacks.call('onEnvFault', { ...control, fault, iteration });
  }
  if (callbacks.has('onEpisodeEnd')) {
    for (const episode of result.episodes) {
      await callbacks.call('onEpisodeEnd', { ...control, episode, iteration });
    }
  }
  const { evaluation } = result;
  if (evaluation !== undefined)
    await reportEvaluation(run, { evaluation, iteration, numEnvSteps, isLate: false });
  const { best, seconds } = run.progress;
  await callbacks.call('onIterationEnd', {
    ...control,
    result,
    seconds,
    secondsHere: run.secondsHere(),
    best,
  });
}

async function reportEvaluation(run: Run, event: Omit<EvaluateEvent, keyof RunControl>): Promise<void> {
  const { numEpisodesCut, returns } = event.evaluation;
  if (numEpisodesCut > 0) {
    const message =
      `${numEpisodesCut} of ${returns.length} evaluation episodes had no end and were cut at evaluationMaxEpisodeSteps, counted with the ` +
      'return they had: set maxEpisodeSteps, or raise evaluationMaxEpisodeSteps if they are to be that long';
    run.warn({ kind: 'evaluation', message, error: null });
  }
  await run.callbacks.call('onEvaluate', { ...run.control, ...event });
}

/** The evaluation that was cut when the run ended the last time: logs, best iteration and stop conditions are then as if it had not ended. */
async function evaluateLate(run: Run, signal: AbortSignal): Promise<void> {
  const { algorithm, progress, checkpoints } = run;
  const { iteration, numEnvSteps } = algorithm;
  const begin = performance.now();
  let evaluation: EvaluationResult;
  try {
    evaluation = await algorithm.evaluate({ signal });
  } catch (error) {
    if (signal.aborted && error === signal.reason) return; // it is still due
    throw error;
  }
  progress.isEvaluationDue = false;
  const isBest = bookEvaluation(progress, iteration, evaluation);
  const metrics = { 'time/evaluationMs': performance.now() - begin, ...evaluationMetrics(evaluation) };
  run.writers?.amend({ iteration, numEnvSteps, timestamp: Date.now(), metrics });
  await reportEvaluation(run, { evaluation, iteration, numEnvSteps, isLate: true });
  if (checkpoints !== null && isBest) await saveIfDue(run, checkpoints, isBest);
}

async function reportCheckpoints(run: Run): Promise<void> {
  for (const saved of run.checkpoints?.takeFinished() ?? []) {
    await run.callbacks.call('onCheckpoint', { ...run.control, ...saved });
  }
}

async function saveIfDue(run: Run, checkpoints: RunCheckpoints, isBest: boolean): Promise<void> {
  const { iteration } = run.algorithm;
  const now = run.secondsHere();
  if (checkpoints.isDue(iteration, now)) await save(run, checkpoints, isBest);
  else if (isBest) {
    const { content, state } = await snapshot(run);
    await checkpoints.saveBest(content, state, iteration, now);
  }
}

async function save(run: Run, checkpoints: RunCheckpoints, isBest: boolean): Promise<void> {
  const { content, state } = await snapshot(run);
  await checkpoints.save(content, state, run.algorithm.iteration, isBest, run.secondsHere());
  const { options, latest, warn } = run;
  if (options.folder !== null && latest.league !== null)
    await writeLeague(options.folder.path, latest.league, warn);
}

async function snapshot({ algorithm, progress, options }: Run) {
  const content = await algorithm.getState(options.folder?.storedSegments);
  const { isStopRequested: _, ...state } = progress;
  return { content, state };
}

async function finish(run: Run, reason: StopReason, warn: (warning: RunWarning) => void): Promise<void> {
  try {
    if (run.checkpoints !== null) await saveLast(run, run.checkpoints, reason, warn);
  } finally {
    run.writers?.close();
    if (run.options.folder !== null && run.options.curves === true && run.options.jsonl)
      await writeCurves(run.options.folder.path, warn);
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
      await save(run, checkpoints, run.progress.best?.iteration === iteration);
    } catch (error) {
      // Only after a failed train() may getState() refuse; that failure is the one to report.
      if (reason !== 'error') throw error;
      const text = error instanceof Error ? error.message : String(error);
      warn({ kind: 'checkpoint', message: `Iteration ${iteration} could not be saved: ${text}`, error });
    }
    await checkpoints.releaseBest();
    await checkpoints.settle();
  }
  await reportCheckpoints(run);
}

function summaryOf(run: Run, stopReason: StopReason): RunSummary {
  const { algorithm, progress, checkpoints, options } = run;
  return {
    stopReason,
    iterations: algorithm.iteration,
    numEnvSteps: algorithm.numEnvSteps,
    numEpisodes: progress.numEpisodes,
    seconds: progress.seconds,
    episodeReturnMean: progress.episodeReturnMean,
    metrics: run.latest.metrics,
    best: progress.best,
    lastEvaluation: progress.lastEvaluation,
    checkpoint: checkpoints?.newest ?? null,
    runDir: options.folder?.path ?? null,
    checkpointError: checkpoints?.failure ?? null,
  };
}

function printWarning({ message }: RunWarning): void {
  process.stderr.write(`operant: ${message}\n`);
}
