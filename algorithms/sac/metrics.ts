/** SAC's metrics, besides those of every algorithm; TQC's, too. */
import { replayMetrics, updateMetrics } from '../../src/metrics/learning-metrics.ts';
import type { MetricDeclarations } from '../../src/metrics/metric-keys.ts';

const { 'train/gradNorm': gradNorm, 'train/learningRate': learningRate, ...counts } = updateMetrics;

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
  'train/qMean': {
    unit: 'return',
    window: 'iteration',
    formula: 'q(s, a) of the batches, mean over critics',
  },
  'train/targetMean': { unit: 'return', window: 'iteration', formula: 'y of the batches' },
  'train/gradNorm/critic': {
    ...gradNorm,
    formula: "norm of the critics' gradient before clipping; mean over batches",
  },
  'train/gradNorm/actor': {
    ...gradNorm,
    formula: "norm of the actor's gradient before clipping; mean over batches",
  },
  'train/gradNorm/exploration': {
    ...gradNorm,
    formula: "norm of the gradient of gSDE's deviations before clipping; mean over batches",
  },
  'train/gradNorm/temperature': {
    ...gradNorm,
    formula: "norm of the temperature's gradient; mean over batches",
  },
  'train/actorLearningRate': {
    ...learningRate,
    formula: "the actor's learning rate at the end of the iteration",
  },
  'train/criticLearningRate': {
    ...learningRate,
    formula: "the critics' learning rate at the end of the iteration",
  },
  ...counts,
  ...replayMetrics,
} as const satisfies MetricDeclarations;
