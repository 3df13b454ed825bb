/** A2C's metrics, besides those of every algorithm. */
import { curiosityMetrics } from '../../src/metrics/curiosity-metrics.ts';
import { advantageMetrics, policyMetrics, updateMetrics } from '../../src/metrics/learning-metrics.ts';
import type { MetricDeclarations, MetricsOf } from '../../src/metrics/metric-keys.ts';

export const a2cMetrics = {
  'train/policyLoss': {
    unit: '-',
    window: 'iteration',
    formula: '-mean(logProb A), A = advantage of the rollout, normalised where that is asked for',
  },
  'train/valueLoss': {
    unit: 'value^2',
    window: 'iteration',
    formula: 'mean((V - R)^2), before `valueCoeff`',
  },
  'train/entropyCoeff': { unit: '-', window: 'iteration', formula: 'entropy coefficient of the update' },
  ...policyMetrics,
  ...advantageMetrics,
  ...updateMetrics,
  ...curiosityMetrics,
} as const satisfies MetricDeclarations;

export type A2CMetrics = MetricsOf<typeof a2cMetrics>;
