/** What a learner's update and its rollout tell, as metrics (src/metrics/learning-metrics.ts declares them). */

import type { RolloutViews } from '../experience/layout.ts';
import type { Learner, UpdateStats } from '../learner/learner.ts';
import type { advantageMetrics, policyMetrics, updateMetrics } from '../metrics/learning-metrics.ts';
import type { MetricsOf } from '../metrics/metric-keys.ts';
import { explainedVariance } from '../targets/gae.ts';

/** Counts, and the means of the loss's statistics as `train/<name>`; a mean is left out where no minibatch was finite. */
export function tellUpdate({
  means,
  numMinibatches,
  numSkipped,
  numClipped,
}: UpdateStats): MetricsOf<typeof updateMetrics> {
  const told: Record<string, number> = {
    'train/numUpdates': numMinibatches - numSkipped,
    'train/numSkippedUpdates': numSkipped,
    'train/numClippedUpdates': numClipped,
  };
  for (const name of Object.keys(means)) {
    if (Number.isFinite(means[name])) told[`train/${name}`] = means[name];
  }
  return told;
}

/** Of a rollout whose returns are filled. Cost: O(N * T). */
export function tellCritic(rollout: RolloutViews): MetricsOf<typeof advantageMetrics> {
  const explained = explainedVariance(rollout);
  return explained === null ? {} : { 'train/explainedVariance': explained };
}

/** Mean standard deviation of continuous actions, exp(logStd); nothing for discrete ones. */
export function tellPolicy(learner: Learner): MetricsOf<typeof policyMetrics> {
  const entry = learner.layout.entries.find(({ name }) => name === 'logStd');
  if (entry === undefined) return {};
  const logStd = learner.readParameters().subarray(entry.offset, entry.offset + entry.size);
  return { 'train/actionStd': logStd.reduce((sum, value) => sum + Math.exp(value), 0) / entry.size };
}
