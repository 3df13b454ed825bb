/** PQN's metrics, besides those of every algorithm. */
import { advantageMetrics, updateMetrics } from '../../src/metrics/learning-metrics.ts';
import type { MetricDeclarations } from '../../src/metrics/metric-keys.ts';

const { 'train/gradNorm': gradNorm, ...updates } = updateMetrics;

export const pqnMetrics = {
  'train/loss': { unit: '-', window: 'iteration', formula: '(Q(s, a) - G)^2 / 2; mean over minibatches' },
  'train/qMean': { unit: 'return', window: 'iteration', formula: 'Q(s, a) of the minibatches' },
  'train/tdErrorMean': {
    unit: 'return',
    window: 'iteration',
    formula: '|Q(s, a) - G|; mean over minibatches',
  },
  'train/epsilon': {
    unit: '-',
    window: 'iteration',
    formula: 'chance of a random action in the rollout',
  },
  'train/gradNorm/q': gradNorm,
  ...updates,
  ...advantageMetrics,
} as const satisfies MetricDeclarations;
