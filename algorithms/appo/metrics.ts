/** APPO's metrics, besides those of every algorithm. */
import { curiosityMetrics } from '../../src/metrics/curiosity-metrics.ts';
import { actorLearnerMetrics, policyMetrics, updateMetrics } from '../../src/metrics/learning-metrics.ts';
import type { MetricDeclarations, MetricsOf } from '../../src/metrics/metric-keys.ts';

export const appoMetrics = {
  'train/policyLoss': {
    unit: '-',
    window: 'iteration',
    formula:
      "-mean min(R A, clip(R, 1 - clipRange, 1 + clipRange) A), R = min(2, mu / pi_target) pi / mu, A = V-trace's advantage; mean over passes",
  },
  'train/valueLoss': {
    unit: 'value^2',
    window: 'iteration',
    formula: 'mean((V - v)^2), before `valueCoeff`; mean over passes',
  },
  'train/approxKl': {
    unit: 'nats',
    window: 'iteration',
    formula: 'mean of (R - 1) - log R; mean over passes',
  },
  'train/clipFraction': {
    unit: '-',
    window: 'iteration',
    formula: 'share of samples with |R - 1| > clipRange; mean over passes',
  },
  'train/clipRange': { unit: '-', window: 'iteration', formula: 'clip range of the last update' },
  'train/entropyCoeff': { unit: '-', window: 'iteration', formula: 'entropy coefficient of the last update' },
  ...policyMetrics,
  ...actorLearnerMetrics,
  ...updateMetrics,
  ...curiosityMetrics,
} as const satisfies MetricDeclarations;

export type APPOMetrics = MetricsOf<typeof appoMetrics>;
