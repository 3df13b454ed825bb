/** Evaluation of the policy as it is: by the runners, or, for networks that they cannot run, here. */

import type { BatchActor } from '../acting/batch-actor.ts';
import type { commonOptions } from '../config/common-options.ts';
import type { ResolvedConfig } from '../config/option.ts';
import { type EnvFaultPolicy, forEvaluation } from '../env/env-faults.ts';
import type { EnvSource } from '../env/env-source.ts';
import { makeVectorEnv } from '../env/load-env.ts';
import type { VectorEnv } from '../env/vector-env.ts';
import type { Metrics } from '../metrics/metric-keys.ts';
import type { ActingSpec } from '../policy/policy-spec.ts';
import { createEnvFaultLog } from '../rollout/env-fault-log.ts';
import { meansOf } from '../rollout/metric-sums.ts';
import { type PlayedEpisodes, type PlayRequest, playAsync } from '../rollout/play-episodes.ts';
import type { RunnerGroup } from '../rollout/runner-group.ts';
import { meanInterval } from '../statistics/student.ts';
import type { EvaluateOptions, EvaluationResult } from './algorithm.ts';

export interface Evaluation {
  /** Evaluate after every this many iterations; null = never. */
  readonly interval: number | null;
  run(options?: EvaluateOptions): Promise<EvaluationResult>;
  close(): void;
}

/** What an evaluation needs of the system that is trained. */
export interface EvaluatedSystem {
  readonly source: EnvSource;
  /** Where evaluation plays; null = in `source`. */
  readonly evaluationSource: EnvSource | null;
  readonly spec: ActingSpec;
  readonly runners: RunnerGroup;
  /** Makes the weights as they are those that everybody acts with. */
  publish(): number;
  readonly createCentralActor: ((maxRows: number) => BatchActor) | null;
}

type EvaluationConfig = Pick<ResolvedConfig<typeof commonOptions>, 'evaluation' | 'faultTolerance'>;

/** Episodes 0 .. numEpisodes - 1 of the evaluation's own seed: the same for every engine, number of runners and of environments. */
export function createEvaluation(
  system: EvaluatedSystem,
  { evaluation: defaults, faultTolerance }: EvaluationConfig,
): Evaluation {
  const central =
    system.createCentralActor === null
      ? null
      : createCentralPlay(system, system.createCentralActor, faultTolerance);
  return {
    interval: defaults.evaluationInterval,
    async run(options = {}) {
      const numEpisodes = options.numEpisodes ?? defaults.evaluationEpisodes;
      const request: PlayRequest = {
        episodes: Array.from({ length: numEpisodes }, (_, k) => k),
        deterministic: options.deterministic ?? defaults.evaluationDeterministic,
        seed: options.seed ?? defaults.evaluationSeed,
        numEnvs: defaults.evaluationNumEnvs,
        source: system.evaluationSource,
        maxEpisodeSteps: options.maxEpisodeSteps ?? defaults.evaluationMaxEpisodeSteps,
      };
      const { signal } = options;
      signal?.throwIfAborted();
      system.publish();
      const played = await (central ?? system.runners).play(request, signal);
      signal?.throwIfAborted(); // then the episodes were cut somewhere
      return summarizePlayed(played);
    },
    close: () => central?.close(),
  };
}

function createCentralPlay(
  { source, spec, runners }: EvaluatedSystem,
  createActor: (maxRows: number) => BatchActor,
  { restartFailedEnvs, nonFinite }: EnvFaultPolicy,
) {
  const faultLog = createEnvFaultLog({ restartFailedEnvs, nonFinite }, source, 0);
  let made: { vectorEnv: VectorEnv; actor: BatchActor } | undefined;
  return {
    async play(request: PlayRequest, signal?: AbortSignal): Promise<PlayedEpisodes> {
      const numRows = Math.min(request.numEnvs, request.episodes.length);
      if (made?.vectorEnv.numRows !== numRows) {
        made?.vectorEnv.close?.();
        made = undefined;
        const place = request.source ?? source;
        const vectorEnv = await makeVectorEnv(place, numRows, 'same-step', forEvaluation(faultLog.handling));
        made = { vectorEnv, actor: createActor(numRows) };
      }
      const isCut = () => signal?.aborted === true;
      const played = await playAsync({ ...made, spec, request, isCut });
      runners.noteEnvFaults(faultLog.take());
      return played;
    },
    close: () => made?.vectorEnv.close?.(),
  };
}

/** What an evaluation adds to the metrics of its iteration. */
export function evaluationMetrics(result: EvaluationResult): Metrics {
  const { returns, returnMean, returnStd, returnInterval, lengthMean, numEpisodesCut } = result;
  return {
    'evaluation/episodeReturnMean': returnMean,
    'evaluation/episodeReturnStd': returnStd,
    'evaluation/episodeLengthMean': lengthMean,
    'evaluation/numEpisodes': returns.length,
    ...(returnInterval === null
      ? {}
      : {
          'evaluation/episodeReturnLow': returnInterval[0],
          'evaluation/episodeReturnHigh': returnInterval[1],
        }),
    'evaluation/numEpisodesCut': numEpisodesCut,
  };
}

/** What the episodes came to. */
export function summarizePlayed({ returns, lengths, numCut, metrics }: PlayedEpisodes): EvaluationResult {
  const count = returns.length;
  const returnMean = returns.reduce((sum, value) => sum + value, 0) / count;
  const variance = returns.reduce((sum, value) => sum + (value - returnMean) ** 2, 0) / count;
  const means = Object.entries(meansOf(metrics)).map(([name, mean]) => [`env/${name}`, mean] as const);
  return {
    returns,
    lengths,
    returnMean,
    returnStd: Math.sqrt(variance),
    returnInterval: meanInterval(returns),
    lengthMean: lengths.reduce((sum, length) => sum + length, 0) / count,
    numEpisodesCut: numCut,
    metrics: Object.fromEntries(means),
  };
}
