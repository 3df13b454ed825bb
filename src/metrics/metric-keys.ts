/** Every metric of a run: its key, its unit, the window it is taken over, and its formula. docs/metrics.md is held to this list. */

export interface MetricDeclaration {
  /** `-` for pure numbers. */
  readonly unit: string;
  /** What the number is taken over. */
  readonly window: string;
  readonly formula: string;
}

/**
 * Windows: `iteration` = one call of `train()`; `metricsWindow` = the last that many finished episodes (fewer at first);
 * `run` = since the run began, over all its resumes. A metric that does not apply in an iteration is left out.
 */
export const METRICS = {
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
  'train/policyLoss': {
    unit: '-',
    window: 'iteration',
    formula:
      '-mean min(r A, clip(r, 1 - clipRange, 1 + clipRange) A), r = exp(logProb - logProbOld), A = normalised advantage; mean over the minibatches that were run',
  },
  'train/valueLoss': {
    unit: 'value^2',
    window: 'iteration',
    formula: 'mean of the value loss before `valueCoeff`; mean over minibatches',
  },
  'train/entropy': {
    unit: 'nats',
    window: 'iteration',
    formula: "mean entropy of the policy's action distribution; mean over minibatches",
  },
  'train/approxKl': {
    unit: 'nats',
    window: 'iteration',
    formula: 'mean of (r - 1) - log r (the k3 estimator of KL(old, new)); mean over minibatches',
  },
  'train/clipFraction': {
    unit: '-',
    window: 'iteration',
    formula: 'share of samples with |r - 1| > clipRange; mean over minibatches',
  },
  'train/explainedVariance': {
    unit: '-',
    window: 'iteration',
    formula:
      '1 - Var(returns - values) / Var(returns) over the rollout, values as predicted when it was collected; left out when Var(returns) = 0',
  },
  'train/gradNorm': {
    unit: '-',
    window: 'iteration',
    formula: 'global Euclidean norm of the gradient before clipping; mean over minibatches',
  },
  'train/learningRate': { unit: '-', window: 'iteration', formula: 'learning rate of the update' },
  'train/clipRange': { unit: '-', window: 'iteration', formula: 'clip range of the update' },
  'train/entropyCoeff': { unit: '-', window: 'iteration', formula: 'entropy coefficient of the update' },
  'train/klPenaltyCoeff': {
    unit: '-',
    window: 'iteration',
    formula: 'weight of the KL penalty in the update; left out where there is none',
  },
  'train/actionStd': {
    unit: 'action',
    window: 'iteration',
    formula:
      "mean of exp(logStd) after the update: the Gaussian's standard deviation over action dimensions; with gSDE, over its matrix",
  },
  'train/numEpochs': {
    unit: 'epochs',
    window: 'iteration',
    formula: 'epochs that were run; fewer than `numEpochs` after a target-KL stop',
  },
  'train/numUpdates': {
    unit: 'updates',
    window: 'iteration',
    formula: 'minibatches whose optimizer step was taken',
  },
  'train/numSkippedUpdates': {
    unit: 'updates',
    window: 'iteration',
    formula: 'minibatches skipped because a loss or gradient was not finite (`nonFinite: skip`)',
  },
  'train/numClippedUpdates': {
    unit: 'updates',
    window: 'iteration',
    formula:
      'minibatches whose step was taken with a clipped gradient because a loss or gradient was not finite (`nonFinite: clip`); they are left out of the means',
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
  'time/advantageMs': {
    unit: 'ms',
    window: 'iteration',
    formula: 'wall time of rewards, values and advantages between rollout and update',
  },
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
  'evaluation/episodeLengthMean': {
    unit: 'environment steps',
    window: 'evaluation',
    formula: 'mean length of the same episodes',
  },
  'evaluation/numEpisodes': { unit: 'episodes', window: 'evaluation', formula: 'evaluation episodes' },
} as const satisfies Readonly<Record<string, MetricDeclaration>>;

/** A declared metric, or a number of the user's own: `info.metrics.<name>` averaged over the iteration becomes `env/<name>`. */
export type MetricKey = keyof typeof METRICS | `env/${string}`;

/** What an algorithm fills. */
export type Metrics = Partial<Record<MetricKey, number>>;

export function isMetricKey(key: string): key is MetricKey {
  return Object.hasOwn(METRICS, key) || key.startsWith('env/');
}
