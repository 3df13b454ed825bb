/** The outside of an on-policy algorithm: counters, metrics, evaluation, checkpoints. The inside is its own loop. */

import type { CheckpointContent } from '../checkpoint/content.ts';
import { saveCheckpoint } from '../checkpoint/save-checkpoint.ts';
import { CheckpointError } from '../errors.ts';
import type { JsonObject, JsonValue } from '../json.ts';
import { createEpisodeWindow } from '../metrics/episode-window.ts';
import type { Metrics } from '../metrics/metric-keys.ts';
import type { EnvFaults } from '../rollout/env-fault-log.ts';
import type { Collected, WorkerFailure } from '../rollout/runner-group.ts';
import type { Algorithm, EvaluationResult, TrainResult } from './algorithm.ts';
import { createEvaluation } from './evaluation.ts';
import { applyContent, type Counters, createContent, type OwnState } from './on-policy-content.ts';
import type { OnPolicyConfig, OnPolicySystem } from './on-policy-system.ts';

/** What one pass through an algorithm's loop gives. */
export interface Iteration {
  readonly collected: Collected;
  readonly metrics: Metrics;
}

export interface OnPolicyAlgorithmParts {
  readonly name: string;
  readonly config: OnPolicyConfig;
  readonly configJson: JsonObject;
  readonly system: OnPolicySystem;
  /** Collect, learn, and so on, once; `numEnvSteps` = steps before this iteration. */
  readonly iterate: (numEnvSteps: number) => Promise<Iteration>;
  /** The algorithm's own part of a checkpoint: streams, scalers, schedules. */
  readonly own: OwnState;
  readonly setSchedule: (name: string, schedule: JsonValue) => void;
}

export function createOnPolicyAlgorithm(parts: OnPolicyAlgorithmParts): Algorithm {
  const { name, config, system } = parts;
  const { numEnvs, rolloutLength } = config.envRunners;
  const episodes = createEpisodeWindow(config.reporting.metricsWindow);
  const counters: Counters = { iteration: 0, numEnvSteps: 0, numEpisodes: 0 };
  const evaluation = createEvaluation(system, config);
  const state = { system, config, configJson: parts.configJson, name, counters, episodes, own: parts.own };
  let isSpoilt = false;
  const getState = async (): Promise<CheckpointContent> => {
    if (isSpoilt) throw spoiltError();
    return createContent(state);
  };

  const train = async (): Promise<TrainResult> => {
    const begin = performance.now();
    const { collected, metrics } = await parts.iterate(counters.numEnvSteps).catch((error: unknown) => {
      // Collecting changes nothing that is saved; learning may have stopped between two minibatches.
      isSpoilt = !system.runners.isCollecting;
      throw error;
    });
    counters.iteration += 1;
    counters.numEnvSteps += numEnvs * rolloutLength;
    counters.numEpisodes += collected.episodes.length;
    for (const { episodeReturn, episodeLength } of collected.episodes)
      episodes.add(episodeReturn, episodeLength);
    const iterationMs = performance.now() - begin;
    const workerFailures = system.runners.takeFailures();
    const envFaults = system.runners.takeEnvFaults();
    const all: Metrics = {
      ...episodes.metrics(),
      ...runnerMetrics(system, collected, workerFailures, envFaults),
      ...metrics,
      'time/iterationMs': iterationMs,
      'time/envStepsPerSecond': (numEnvs * rolloutLength * 1000) / iterationMs,
    };
    const { evaluationInterval } = config.evaluation;
    const isDue = evaluationInterval !== null && counters.iteration % evaluationInterval === 0;
    const result = isDue ? await timedEvaluation(evaluation.run, all) : undefined;
    const failures = { workerFailures, envFaults: envFaults.faults };
    return trainResult(counters, episodes.returnMean(), all, collected, failures, result);
  };

  return {
    name,
    config: parts.configJson,
    get iteration() {
      return counters.iteration;
    },
    get numEnvSteps() {
      return counters.numEnvSteps;
    },
    banner: createBanner(name, config, system),
    train,
    evaluate: evaluation.run,
    setSchedule: parts.setSchedule,
    getState,
    async setState(content) {
      await applyContent(state, content);
      isSpoilt = false;
    },
    save: async (directory) => saveCheckpoint(directory, await getState()),
    async stop() {
      evaluation.close();
      await system.stop();
    },
  };
}

function spoiltError(): CheckpointError {
  return new CheckpointError(
    'CHECKPOINT_SPOILT',
    'The last iteration failed while it learned, so the weights are no state of the run. Go on from the last checkpoint.',
  );
}

function runnerMetrics(
  { runners }: OnPolicySystem,
  collected: Collected,
  workerFailures: readonly WorkerFailure[],
  { counts }: EnvFaults,
): Metrics {
  const means = Object.entries(collected.metrics).map(([name, mean]) => [`env/${name}`, mean] as const);
  return {
    'rollout/numEpisodes': collected.episodes.length,
    'rollout/numWorkerRestarts': workerFailures.length,
    'rollout/numEnvsRestarted': counts.repeated + counts['new-episode'],
    'rollout/numEpisodesCut': counts['new-episode'],
    'rollout/numValuesClipped': counts.clipped,
    'rollout/numEnvRestarts': runners.takeRestarted().length,
    ...Object.fromEntries(means),
  };
}

async function timedEvaluation(
  run: () => Promise<EvaluationResult>,
  metrics: Metrics,
): Promise<EvaluationResult> {
  const begin = performance.now();
  const result = await run();
  metrics['time/evaluationMs'] = performance.now() - begin;
  metrics['evaluation/episodeReturnMean'] = result.returnMean;
  metrics['evaluation/episodeReturnStd'] = result.returnStd;
  metrics['evaluation/episodeLengthMean'] = result.lengthMean;
  metrics['evaluation/numEpisodes'] = result.returns.length;
  return result;
}

function trainResult(
  counters: Counters,
  episodeReturnMean: number | null,
  metrics: Metrics,
  collected: Collected,
  { workerFailures, envFaults }: Required<Pick<TrainResult, 'workerFailures' | 'envFaults'>>,
  evaluation: EvaluationResult | undefined,
): TrainResult {
  return {
    ...counters,
    episodeReturnMean,
    metrics: metrics as Readonly<Record<string, number>>,
    episodes: collected.episodes,
    ...(evaluation === undefined ? {} : { evaluation }),
    ...(workerFailures.length === 0 ? {} : { workerFailures }),
    ...(envFaults.length === 0 ? {} : { envFaults }),
  };
}

function createBanner(name: string, config: OnPolicyConfig, system: OnPolicySystem): string[] {
  const { learner, runners, spec, source, choice } = system;
  const { network, distribution } = spec;
  const { numEnvs, rolloutLength } = config.envRunners;
  const shape = network.kind === 'custom' ? '' : ` ${network.hiddenSizes.join('x')} ${network.activation}`;
  const threads = runners.numEnvRunners === 0 ? 'in process' : `in ${runners.numEnvRunners} worker threads`;
  return [
    `${name} on ${source.id}: ${numEnvs} environments x ${rolloutLength} steps ${threads}, ${network.kind}${shape}, ${distribution.kind} actions, seed ${config.debugging.seed}`,
    `engine ${learner.engine} (${choice.reason}): ${learner.backend}`,
  ];
}
