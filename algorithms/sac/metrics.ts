/** SAC's metrics, besides those of every algorithm; TQC's, too. */
import { offPolicyActorCriticMetrics, updateMetrics } from '../../src/metrics/learning-metrics.ts';
import type { MetricDeclarations } from '../../src/metrics/metric-keys.ts';

const { 'train/gradNorm': gradNorm, 'train/learningRate': _rate, ...counts } = updateMetrics;

export const sacMetrics = {
  'train/criticLoss': {
    unit: 'return^2',
    window: 'iteration',
    formula: 'sum over critics of (q(s, a) - y)^2 / 2 (TQC: quantile Huber); mean over batches',
  },
  'train/actorLoss': {
    unit: 'return',
    window: 'iteration',
    formula:
      'temperature log pi(a|s) - min over critics of q(s, a) (TQC: mean of quantiles); mean over batches',
  },
  'train/temperatureLoss': {
    unit: 'nats',
    window: 'iteration',
    formula: '-log(temperature) (log pi(a|s) + targetEntropy), where it is learnt; mean over batches',
  },
  'train/temperature': {
    unit: '-',
    window: 'iteration',
    formula: 'weight of the entropy at the end of the iteration',
  },
  'train/entropy': {
    unit: 'nats',
    window: 'iteration',
    formula: '-log pi(a|s) in [-1, 1] units; mean over batches',
  },
  'train/actionStd': {
    unit: '-',
    window: 'iteration',
    formula: 'standard deviation before the tanh; mean over action elements and batches',
  },
  'train/saturation': {
    unit: '-',
    window: 'iteration',
    formula:
      'share of action elements with |a| > 0.99 in [-1, 1] units: near 1 the actor sticks to its bounds',
  },
  'train/gradNorm/exploration': {
    ...gradNorm,
    formula: "norm of the gradient of gSDE's deviations before clipping; mean over batches",
  },
  'train/gradNorm/temperature': {
    ...gradNorm,
    formula: "norm of the temperature's gradient; mean over batches",
  },
  ...counts,
  ...offPolicyActorCriticMetrics,
} as const satisfies MetricDeclarations;
