/** DQN's metrics, besides those of every algorithm. */
import { replayMetrics, updateMetrics } from '../../src/metrics/learning-metrics.ts';
import type { MetricDeclarations } from '../../src/metrics/metric-keys.ts';

const { 'train/gradNorm': gradNorm, ...updates } = updateMetrics;

export const dqnMetrics = {
  'train/loss': {
    unit: '-',
    window: 'iteration',
    formula: 'w l(Z(s, a), y): smooth L1, square, cross-entropy (C51) or quantile Huber; mean over batches',
  },
  'train/qMean': { unit: 'return', window: 'iteration', formula: 'Q(s, a) of the batches' },
  'train/targetMean': { unit: 'return', window: 'iteration', formula: 'mean of y of the batches' },
  'train/tdErrorMean': {
    unit: 'return',
    window: 'iteration',
    formula: '|Q(s, a) - y| (C51: cross-entropy), what priorities are made of; mean over batches',
  },
  'train/epsilon': {
    unit: '-',
    window: 'iteration',
    formula: 'chance of a random action at the end of the iteration',
  },
  'train/gradNorm/q': gradNorm,
  ...updates,
  ...replayMetrics,
} as const satisfies MetricDeclarations;
