/** IMPALA's metrics, besides those of every algorithm. */
import { curiosityMetrics } from '../../src/metrics/curiosity-metrics.ts';
import { actorLearnerMetrics, policyMetrics, updateMetrics } from '../../src/metrics/learning-metrics.ts';
import type { MetricDeclarations, MetricsOf } from '../../src/metrics/metric-keys.ts';

export const impalaMetrics = {
  'train/policyLoss': {
    unit: '-',
    window: 'iteration',
    formula: "-mean(logProb A), A = V-trace's advantage, its ratio within; mean over fragments",
  },
  'train/valueLoss': {
    unit: 'value^2',
    window: 'iteration',
    formula: 'mean((V - v)^2), before `valueCoeff`; mean over fragments',
  },
  'train/entropyCoeff': { unit: '-', window: 'iteration', formula: 'entropy coefficient of the last update' },
  ...policyMetrics,
  ...actorLearnerMetrics,
  ...updateMetrics,
  ...curiosityMetrics,
} as const satisfies MetricDeclarations;

export type IMPALAMetrics = MetricsOf<typeof impalaMetrics>;
