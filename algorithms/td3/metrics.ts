/** TD3's metrics, besides those of every algorithm. */
import { offPolicyActorCriticMetrics, updateMetrics } from '../../src/metrics/learning-metrics.ts';
import type { MetricDeclarations } from '../../src/metrics/metric-keys.ts';

const { 'train/gradNorm': _norm, 'train/learningRate': _rate, ...counts } = updateMetrics;

export const td3Metrics = {
  'train/criticLoss': {
    unit: 'return^2',
    window: 'iteration',
    formula: 'sum over critics of (q(s, a) - y)^2; mean over batches',
  },
  'train/actorLoss': {
    unit: 'return',
    window: 'iteration',
    formula: "-q1(s, a) of the actor's actions; mean over batches",
  },
  'train/saturation': {
    unit: '-',
    window: 'iteration',
    formula:
      'share of action elements with |a| > 0.99 in [-1, 1] units: near 1 the actor sticks to its bounds',
  },
  'train/explorationNoise': {
    unit: 'action in [-1, 1]',
    window: 'iteration',
    formula: 'standard deviation of the noise on actions at the end of the iteration',
  },
  ...counts,
  ...offPolicyActorCriticMetrics,
} as const satisfies MetricDeclarations;
