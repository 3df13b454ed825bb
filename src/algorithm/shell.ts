/** The outside of every algorithm: counters, metrics, evaluation, checkpoints. The inside is its own loop. */

import type { CheckpointContent } from '../checkpoint/content.ts';
import { saveCheckpoint } from '../checkpoint/save-checkpoint.ts';
import { joinStates, readStates, type StatePart } from '../checkpoint/state-part.ts';
import { CheckpointError, ConfigError } from '../errors.ts';
import type { JsonObject, JsonValue } from '../json.ts';
import { createEpisodeWindow, type EpisodeWindow } from '../metrics/episode-window.ts';
import type { Metrics } from '../metrics/metric-keys.ts';
import type { EpisodeSummary } from '../rollout/episode-summary.ts';
import type { RunnerGroup } from '../rollout/runner-group.ts';
import type { Algorithm, EvaluationResult, TrainOptions, TrainResult } from './algorithm.ts';
import { createStaging, type Staging, type StagingParts } from './curriculum/staging.ts';
import { type Evaluation, evaluationMetrics } from './evaluation.ts';
import { createInitialization } from './initialization.ts';
import type { LeagueRow } from './league/league-row.ts';
import { createLifecycle } from './lifecycle.ts';
import { type Counters, shellState } from './shell-state.ts';

/** What one pass through an algorithm's loop did. */
export interface Iteration {
  /** Environment steps that it took, over all environments; 0 for learning from data alone. */
  readonly numEnvSteps: number;
  /** Episodes that ended in it, in the order (t, environment). */
  readonly episodes: readonly EpisodeSummary[];
  /** Means of `info.metrics` over its steps, by name: told as `env/<name>`. */
  readonly envMetrics: Readonly<Record<string, number>>;
  /** The algorithm's own, by key; finite numbers only. */
  readonly metrics: Readonly<Partial<Record<string, number>>>;
  /** Of self-play; absent = there is no league. */
  readonly league?: readonly LeagueRow[];
}

/** The options that the shell reads. */
export interface ShellConfig {
  readonly reporting: { readonly metricsWindow: number };
  readonly debugging: { readonly seed: number };
}

export interface ShellParts {
  readonly name: string;
  readonly config: ShellConfig;
  /** The resolved configuration by section, with the algorithm's name: `config.json`. */
  readonly configJson: JsonObject;
  /** Two lines for people: what is trained on what, and what runs it. */
  readonly banner: readonly string[];
  /** What in the setting often turns out to be a mistake (`setupNotes`); absent = nothing. */
  readonly notes?: readonly string[];
  /** Collect, learn, and so on, once; `numEnvSteps` = environment steps of the run before this iteration. */
  readonly iterate: (numEnvSteps: number) => Promise<Iteration>;
  /**
   * Asked once `iterate` has thrown: whether it had begun to change what is saved (parameters, replay, streams). If not, the
   * state still is that of the end of the last iteration, and may be saved; if so, it never is.
   */
  readonly isHalfDone: () => boolean;
  /** What goes into a checkpoint besides the shell's own, in the order in which it is restored. */
  readonly state: readonly StatePart[];
  /** Policies that learn, where there may be several; absent = one, `default`. */
  readonly policies?: readonly string[];
  /** What became of workers and environments; null = there are none. */
  readonly runners: Pick<
    RunnerGroup,
    'takeFailures' | 'takeEnvFaults' | 'takeRestarted' | 'takeMetrics' | 'describeHosts'
  > | null;
  /** null = there is nothing to evaluate in. */
  readonly evaluation: Evaluation | null;
  readonly setSchedule?: (name: string, schedule: JsonValue) => void;
  /** What changes the environment's options in mid-run; absent = nothing can. */
  readonly staging?: StagingParts;
  /** Ends threads and frees memory. */
  readonly stop: () => Promise<void>;
}

/** An algorithm from its loop and its state. Thread: main. */
export function createAlgorithm(parts: ShellParts): Algorithm {
  const { name, evaluation } = parts;
  const episodes = createEpisodeWindow(parts.config.reporting.metricsWindow);
  const counters: Counters = { iteration: 0, numEnvSteps: 0, numEpisodes: 0 };
  const staging = openStaging(parts);
  const state = [...shellState(parts, counters, episodes), ...parts.state, ...(staging?.states ?? [])];
  const initialization = createInitialization(state, counters, parts.policies ?? ['default']);
  const health = { isSpoilt: false };
  const getState = async (storedSegments?: ReadonlySet<string>): Promise<CheckpointContent> => {
    if (health.isSpoilt) throw spoiltError();
    return joinStates(state, storedSegments);
  };

  const train = createTrain(parts, { counters, episodes, staging, health });
  const life = createLifecycle(name, () => end(parts));
  return {
    name,
    config: parts.configJson,
    get iteration() {
      return counters.iteration;
    },
    get numEnvSteps() {
      return counters.numEnvSteps;
    },
    banner: parts.banner,
    notes: parts.notes ?? [],
    describeHosts: () => parts.runners?.describeHosts?.() ?? null,
    train: (options) => life.guard('train', () => train(options)),
    evaluate: (options) =>
      life.guard('evaluate', async () => (evaluation ?? noEvaluation(name)).run(options)),
    ...(parts.setSchedule === undefined ? {} : { setSchedule: parts.setSchedule }),
    ...(staging && {
      setEnvOptions: (options) => life.guard('setEnvOptions', () => staging.setEnvOptions(options)),
    }),
    getState: (storedSegments) => life.guard('getState', () => getState(storedSegments)),
    get initializedFrom() {
      return initialization.report;
    },
    initializeFrom: initialization.initializeFrom,
    setState: (content) =>
      life.guard('setState', async () => {
        const apply = readStates(state, content);
        initialization.report = undefined;
        health.isSpoilt = true; // until all of it is in effect
        await apply();
        health.isSpoilt = false;
      }),
    save: (directory) => life.guard('save', async () => saveCheckpoint(directory, await getState())),
    stop: life.stop,
  };
}

/** What an iteration changes besides the loop's own. */
interface ShellState {
  readonly counters: Counters;
  readonly episodes: EpisodeWindow;
  readonly staging: Staging | null;
  /** Spoilt: what is saved has changed by half. */
  readonly health: { isSpoilt: boolean };
}

function createTrain(
  parts: ShellParts,
  { counters, episodes, staging, health }: ShellState,
): (options?: TrainOptions) => Promise<TrainResult> {
  const { evaluation, runners } = parts;
  return async ({ signal }: TrainOptions = {}): Promise<TrainResult> => {
    signal?.throwIfAborted();
    const begin = performance.now();
    const iteration = await parts.iterate(counters.numEnvSteps).catch((error: unknown) => {
      health.isSpoilt ||= parts.isHalfDone();
      throw error;
    });
    count(iteration, counters, episodes);
    const reports = takeReports(runners);
    const own = iterationMetrics(iteration, performance.now() - begin);
    const metrics: Record<string, number> = { ...episodes.metrics(), ...reports.metrics, ...own };
    const staged = await staging?.advance({ ...counters, metrics, episodes: iteration.episodes });
    Object.assign(metrics, staged?.metrics);
    const evaluated = isEvaluationDue(evaluation, counters)
      ? await timedEvaluation(evaluation, metrics, signal)
      : {};
    return {
      ...counters,
      episodeReturnMean: episodes.returnMean(),
      metrics,
      episodes: iteration.episodes,
      ...leagueOf(iteration),
      ...staged?.events,
      ...reports.events,
      ...evaluated,
    };
  };
}

function openStaging({ staging, configJson }: ShellParts): Staging | null {
  if (staging === undefined) return null;
  return createStaging(staging, configJson);
}

function leagueOf({ league }: Iteration): Pick<TrainResult, 'league'> {
  return league === undefined ? {} : { league };
}

function count(
  { numEnvSteps, episodes: ended }: Iteration,
  counters: Counters,
  episodes: EpisodeWindow,
): void {
  counters.iteration += 1;
  counters.numEnvSteps += numEnvSteps;
  counters.numEpisodes += ended.length;
  for (const { episodeReturn, episodeLength } of ended) episodes.add(episodeReturn, episodeLength);
}

async function end({ evaluation, stop }: ShellParts): Promise<void> {
  evaluation?.close();
  await stop();
}

function spoiltError(): CheckpointError {
  return new CheckpointError(
    'CHECKPOINT_SPOILT',
    'The last iteration failed while it learned, so the weights are no state of the run. Go on from the last checkpoint.',
  );
}

function noEvaluation(name: string): never {
  throw new ConfigError(
    'CONFIG_CONFLICT',
    `This run of ${name} has no environment to evaluate in: set \`env\`.`,
  );
}

function iterationMetrics(
  { numEnvSteps, episodes, envMetrics, metrics }: Iteration,
  iterationMs: number,
): Record<string, number> {
  const told = Object.entries(envMetrics).map(([key, mean]) => [`env/${key}`, mean] as const);
  return {
    'rollout/numEpisodes': episodes.length,
    ...Object.fromEntries(told),
    ...metrics,
    'time/iterationMs': iterationMs,
    'time/envStepsPerSecond': (numEnvSteps * 1000) / iterationMs,
  };
}

/** What became of workers and environments since the last iteration: numbers, and the events themselves where there are some. */
function takeReports(runners: ShellParts['runners']): {
  readonly metrics: Metrics;
  readonly events: Pick<TrainResult, 'workerFailures' | 'envFaults'>;
} {
  if (runners === null) return { metrics: {}, events: {} };
  const workerFailures = runners.takeFailures();
  const { faults, counts } = runners.takeEnvFaults();
  return {
    metrics: {
      'rollout/numWorkerRestarts': workerFailures.length,
      'rollout/numEnvsRestarted': counts.repeated + counts['new-episode'],
      'rollout/numEpisodesCut': counts['new-episode'],
      'rollout/numValuesClipped': counts.clipped,
      'rollout/numEnvRestarts': runners.takeRestarted().length,
      ...runners.takeMetrics?.(),
    },
    events: {
      ...(workerFailures.length === 0 ? {} : { workerFailures }),
      ...(faults.length === 0 ? {} : { envFaults: faults }),
    },
  };
}

function isEvaluationDue(evaluation: Evaluation | null, { iteration }: Counters): evaluation is Evaluation {
  return evaluation?.interval != null && iteration % evaluation.interval === 0;
}

/** Where the signal cuts it, the iteration stands all the same. */
async function timedEvaluation(
  { run }: Evaluation,
  metrics: Record<string, number>,
  signal: AbortSignal | undefined,
): Promise<Pick<TrainResult, 'evaluation' | 'isEvaluationCut'>> {
  const begin = performance.now();
  let result: EvaluationResult;
  try {
    result = await run(signal === undefined ? {} : { signal });
  } catch (error) {
    if (signal?.aborted === true && error === signal.reason) return { isEvaluationCut: true };
    throw error;
  }
  Object.assign(metrics, { 'time/evaluationMs': performance.now() - begin, ...evaluationMetrics(result) });
  return { evaluation: result };
}
