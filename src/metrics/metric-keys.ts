/** Metrics: key, unit, window and formula; and those that every algorithm has. An algorithm declares its own beside itself. */

import { CLUSTER_METRICS } from './cluster-metrics.ts';

export interface MetricDeclaration {
  /** `-` for pure numbers. */
  readonly unit: string;
  /** What the number is taken over. */
  readonly window: string;
  readonly formula: string;
}

/** By key: `train/policyLoss`. */
export type MetricDeclarations = Readonly<Record<string, MetricDeclaration>>;

/**
 * Windows: `iteration` = one call of `train()`; `metricsWindow` = the last that many finished episodes (fewer at first);
 * `run` = since the run began, over all its resumes. A metric that does not apply in an iteration is left out.
 */
export const SHARED_METRICS = {
  'rollout/episodeReturnMean': {
    unit: 'reward',
    window: 'metricsWindow',
    formula: 'mean of the undiscounted sums of raw rewards of the last `metricsWindow` finished episodes',
  },
  'rollout/episodeReturnStd': {
    unit: 'reward',
    window: 'metricsWindow',
    formula: 'population standard deviation of the same returns',
  },
  'rollout/episodeReturnMin': {
    unit: 'reward',
    window: 'metricsWindow',
    formula: 'least of the same returns',
  },
  'rollout/episodeReturnMax': {
    unit: 'reward',
    window: 'metricsWindow',
    formula: 'greatest of the same returns',
  },
  'rollout/episodeLengthMean': {
    unit: 'environment steps',
    window: 'metricsWindow',
    formula: 'mean length of the same episodes',
  },
  'rollout/numEpisodes': { unit: 'episodes', window: 'iteration', formula: 'episodes that ended' },
  'rollout/curriculumStage': {
    unit: '-',
    window: 'run',
    formula:
      "changes of the environment's options so far, with `curriculum`: the number of the stage that episodes begin in from now on",
  },
  'rollout/numWorkerRestarts': {
    unit: '-',
    window: 'iteration',
    formula: 'rollout workers that died and were replaced',
  },
  'rollout/numEnvsRestarted': {
    unit: '-',
    window: 'iteration',
    formula: 'environments that failed and were made again (`restartFailedEnvs`)',
  },
  'rollout/numEpisodesCut': {
    unit: 'episodes',
    window: 'iteration',
    formula: 'of these, those whose episode ended there, since it could not be brought back',
  },
  'rollout/numValuesClipped': {
    unit: '-',
    window: 'iteration',
    formula:
      'rewards and elements of observations that were not finite and were replaced (`nonFinite: clip`)',
  },
  'rollout/numEnvRestarts': {
    unit: '-',
    window: 'iteration',
    formula:
      'environments that are not deterministic and so began their episode again, on resume or in a replaced worker',
  },
  'time/envStepsPerSecond': {
    unit: 'environment steps/s',
    window: 'iteration',
    formula: 'environment steps of the iteration / its wall time, evaluation left out',
  },
  'time/iterationMs': {
    unit: 'ms',
    window: 'iteration',
    formula: 'wall time of the iteration, evaluation left out',
  },
  'time/rolloutMs': { unit: 'ms', window: 'iteration', formula: 'wall time of collecting the rollout' },
  'time/learnMs': { unit: 'ms', window: 'iteration', formula: 'wall time of the update' },
  'time/evaluationMs': {
    unit: 'ms',
    window: 'iteration',
    formula: 'wall time of the evaluation, in iterations that evaluate',
  },
  'time/policyLagMean': {
    unit: 'versions',
    window: 'iteration',
    formula: 'mean over samples of (policy version that learns - policy version that acted)',
  },
  'evaluation/episodeReturnMean': {
    unit: 'reward',
    window: 'evaluation',
    formula: 'mean return of the evaluation episodes, in iterations that evaluate',
  },
  'evaluation/episodeReturnStd': {
    unit: 'reward',
    window: 'evaluation',
    formula: 'population standard deviation of the same returns',
  },
  'evaluation/episodeReturnLow': {
    unit: 'reward',
    window: 'evaluation',
    formula: "lower end of Student's 95% interval of their mean; left out for a single episode",
  },
  'evaluation/episodeReturnHigh': {
    unit: 'reward',
    window: 'evaluation',
    formula: 'upper end of the same interval',
  },
  'evaluation/episodeLengthMean': {
    unit: 'environment steps',
    window: 'evaluation',
    formula: 'mean length of the same episodes',
  },
  'evaluation/numEpisodesCut': {
    unit: 'episodes',
    window: 'evaluation',
    formula: 'of these, cut at evaluationMaxEpisodeSteps',
  },
  'evaluation/numEpisodes': { unit: 'episodes', window: 'evaluation', formula: 'evaluation episodes' },
  ...CLUSTER_METRICS,
} as const satisfies MetricDeclarations;

/**
 * A shared metric, or a number of the user's own: `info.metrics.<name>` averaged over the iteration becomes `env/<name>`. Among several agents
 * `agent/<name>/...` and `policy/<name>/...` besides (docs/agents.md).
 */
export type MetricKey = keyof typeof SHARED_METRICS | `${'env' | 'agent' | 'policy'}/${string}`;

/** What an iteration tells: shared metrics, and an algorithm's own, `MetricsOf<typeof ppoMetrics>`. */
export type MetricsOf<Own extends MetricDeclarations> = Partial<
  Record<MetricKey | (keyof Own & string), number>
>;
export type Metrics = Partial<Record<MetricKey, number>>;
