/** Shows a run to a person: a live line on a terminal, else a line per iteration (one a second at most); a table at the end. */
import type { EvaluationResult, TrainResult } from '../algorithm/algorithm.ts';
import { failureLine, faultLine } from './fault-lines.ts';
import { formatCount, formatDuration, formatInterval, formatValue } from './format-number.ts';
import { createSpeedometer, measureProgress, type Origin } from './progress.ts';
import type { IterationEvent, RunCallbacks } from './run-callbacks.ts';
import type { RunOutput } from './run-output.ts';
import type { RunSummary } from './run-state.ts';
import type { RunConfig } from './start-run.ts';
import { table } from './text-table.ts';

/** A terminal is redrawn, and a log gets a line, no more often than this. */
const LIVE_SECONDS = 0.1;
const LINE_SECONDS = 1;
/** A log that drowns in one environment's failures helps nobody; the metrics count them all. */
const MAX_FAULTS_SHOWN = 20;
const CLEAR_LINE = '\r\u001b[2K';

/** What an algorithm shows of itself. */
export interface Shown {
  /** Metrics of the progress line, most telling first, and what they are called there. */
  readonly headline: Readonly<Partial<Record<string, string>>>;
  /** Metrics of the table at the end. */
  readonly summary: readonly string[];
}

export interface ConsoleReport {
  /** The hooks that print, after those of others, which may add metrics. */
  readonly hooks: RunCallbacks;
  /** Hooks for before those of others: what they print begins on a line of its own. */
  readonly before: RunCallbacks;
  /** Takes the live line away for whoever writes beside the run; the next iteration brings it back. */
  clear(): void;
}

/**
 * Without a terminal an iteration gets its line when a second has passed since the last one; the first and the last iteration
 * always get theirs. Every iteration is in progress.jsonl and, with --json, on stdout.
 */
export function createConsoleReport(
  output: RunOutput,
  { headline, summary }: Shown,
  { stopping }: Pick<RunConfig, 'stopping'>,
  origin: Origin,
): ConsoleReport {
  if (output.isQuiet) return { hooks: {}, before: {}, clear: () => undefined };
  const isLive = output.human.isTTY === true;
  let shownAt = Number.NEGATIVE_INFINITY;
  let pending: IterationEvent | undefined; // the last one, while it is not shown
  let last: TrainResult | undefined;
  let numFaultsShown = 0;
  let speed: number | undefined;
  let isCleared = false;
  const measureSpeed = createSpeedometer();
  const clear = () => {
    if (!isLive || isCleared) return;
    output.human.write(CLEAR_LINE);
    isCleared = true;
  };
  const sayAbove = (line: string) => {
    clear();
    output.human.write(`${line}\n`);
  };
  const hooks: RunCallbacks = {
    onIterationEnd: (event) => {
      last = event.result;
      pending = event;
      const { metrics, numEnvSteps, envOptions } = event.result;
      if (envOptions !== undefined) sayAbove(curriculumLine(event.result));
      speed = measureSpeed(numEnvSteps, event.secondsHere) ?? metrics['time/envStepsPerSecond'];
      const isDue = event.secondsHere - shownAt >= (isLive ? LIVE_SECONDS : LINE_SECONDS);
      if (!isDue && !isCleared) return;
      shownAt = event.secondsHere;
      isCleared = false;
      const line = progressLine(event, speed, headline, stopping, origin);
      output.human.write(isLive ? `${CLEAR_LINE}${cut(line, output.human.columns)}` : numbered(event, line));
      pending = undefined;
    },
    onEvaluate: ({ evaluation, iteration }) => sayAbove(evaluationLine(evaluation, iteration)),
    onWorkerFailure: ({ failure }) => sayAbove(failureLine(failure)),
    onEnvFault: ({ fault }) => {
      if (numFaultsShown++ < MAX_FAULTS_SHOWN) sayAbove(faultLine(fault));
    },
    onStop: (run) => {
      if (pending !== undefined && !isLive) {
        output.human.write(numbered(pending, progressLine(pending, speed, headline, stopping, origin)));
      }
      sayAbove(summaryTable(run, ['rollout/episodeLengthMean', ...summary], last));
    },
  };
  return { hooks, before: isLive ? clearingHooks(clear) : {}, clear };
}

function clearingHooks(clear: () => void): RunCallbacks {
  return {
    onIterationEnd: clear,
    onEpisodeEnd: clear,
    onEvaluate: clear,
    onCheckpoint: clear,
    onWorkerFailure: clear,
    onEnvFault: clear,
    onStop: clear,
  };
}

function evaluationLine(evaluation: EvaluationResult, iteration: number): string {
  const { returnMean, returnStd, returnInterval, returns } = evaluation;
  const spread = `${formatValue(returnMean)} +- ${formatValue(returnStd)}${formatInterval(returnInterval)}`;
  return `evaluation after iteration ${formatCount(iteration)}: return ${spread} over ${returns.length} episodes`;
}

function curriculumLine({ numEnvSteps, metrics, envOptions }: TrainResult): string {
  const stage = metrics['rollout/curriculumStage'];
  return `curriculum after ${formatCount(numEnvSteps)} steps: stage ${stage}, new episodes have ${JSON.stringify(envOptions)}`;
}

function numbered({ result }: IterationEvent, line: string): string {
  return `iteration ${formatCount(result.iteration)}  ${line}\n`;
}

/** Terminals wrap a longer line, which a carriage return cannot take back. */
function cut(line: string, columns = 80): string {
  return line.length < columns ? line : line.slice(0, columns - 1);
}

/** Most important first: a narrow terminal cuts the end off. */
function progressLine(
  event: IterationEvent,
  speed: number | undefined,
  headline: Shown['headline'],
  stopping: RunConfig['stopping'],
  origin: Origin,
): string {
  const { result, seconds } = event;
  const { metrics } = result;
  const progress = measureProgress(event, stopping, origin);
  const goal = stopping.stopSteps === null ? '' : `/${formatCount(stopping.stopSteps)}`;
  const parts = [`${formatCount(result.numEnvSteps)}${goal} steps`];
  if (progress === null) {
    parts.push(formatDuration(seconds));
  } else {
    const left = progress.secondsLeft === null ? '' : `, ${formatDuration(progress.secondsLeft)} left`;
    parts.push(`${Math.floor(progress.fraction * 100)}%${left}`);
  }
  if (speed !== undefined) parts.push(`${formatCount(speed)} steps/s`);
  parts.push(`return ${result.episodeReturnMean === null ? '-' : formatValue(result.episodeReturnMean)}`);
  parts.push(...hostParts(metrics));
  for (const [key, label] of Object.entries(headline)) {
    const value = metrics[key];
    if (value !== undefined) parts.push(`${label} ${formatValue(value)}`);
  }
  return parts.join('  ');
}

/** Of rollout hosts, where there are some: how many are up, were lost, came and went, and what travels. */
function hostParts(metrics: Readonly<Record<string, number>>): string[] {
  const { 'cluster/numHosts': all, 'cluster/numHostsUp': up } = metrics;
  if (all === undefined || up === undefined) return [];
  const told = (['Lost', 'Joined', 'Left'] as const).map((what) => {
    const count = metrics[`cluster/numHosts${what}`] ?? 0;
    return count > 0 ? `, ${formatCount(count)} ${what.toLowerCase()}` : '';
  });
  const speed = `${formatValue(metrics['cluster/mbPerSecond'])} MB/s`;
  return [`hosts ${up}/${all} up${told.join('')}, ${speed}`];
}

function summaryTable(summary: RunSummary, keys: readonly string[], last: TrainResult | undefined): string {
  const { best, episodeReturnMean, lastEvaluation } = summary;
  const rows: (readonly [string, string])[] = [
    ['stopped by', summary.stopReason],
    ['iterations', formatCount(summary.iterations)],
    ['environment steps', formatCount(summary.numEnvSteps)],
    ['time', formatDuration(summary.seconds)],
    ['mean return', episodeReturnMean === null ? 'no episode has ended' : formatValue(episodeReturnMean)],
  ];
  const {
    'rollout/episodeReturnStd': std,
    'rollout/episodeReturnMin': min,
    'rollout/episodeReturnMax': max,
  } = summary.metrics;
  if (std !== undefined && min !== undefined && max !== undefined) {
    rows.push([
      'of these episodes',
      `+- ${formatValue(std)}, from ${formatValue(min)} to ${formatValue(max)}`,
    ]);
  }
  if (best !== null) {
    rows.push([
      'best return',
      `${formatValue(best.value)} (${best.measure}, iteration ${formatCount(best.iteration)})`,
    ]);
  }
  if (lastEvaluation !== null) {
    const { returnMean, returnStd, returnInterval, numEpisodes, iteration } = lastEvaluation;
    const when = `${formatCount(numEpisodes)} episodes, iteration ${formatCount(iteration)}`;
    const spread = `${formatValue(returnMean)} +- ${formatValue(returnStd)}${formatInterval(returnInterval)}`;
    rows.push(['last evaluation', `${spread} (${when})`]);
  }
  for (const key of keys) {
    const value = last?.metrics[key];
    if (value !== undefined) rows.push([key, formatValue(value)]);
  }
  if (summary.runDir !== null) rows.push(['run folder', summary.runDir]);
  if (summary.checkpoint !== null) rows.push(['checkpoint', summary.checkpoint]);
  return table(rows);
}
