/** TD3's metrics, besides those of every algorithm. */
import { replayMetrics, updateMetrics } from '../../src/metrics/learning-metrics.ts';
import type { MetricDeclarations } from '../../src/metrics/metric-keys.ts';

const { 'train/gradNorm': gradNorm, 'train/learningRate': learningRate, ...counts } = updateMetrics;

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
  'train/actorLearningRate': {
    ...learningRate,
    formula: "the actor's learning rate at the end of the iteration",
  },
  'train/criticLearningRate': {
    ...learningRate,
    formula: "the critics' learning rate at the end of the iteration",
  },
  'train/explorationNoise': {
    unit: 'action in [-1, 1]',
    window: 'iteration',
    formula: 'standard deviation of the noise on actions at the end of the iteration',
  },
  ...counts,
  ...replayMetrics,
} as const satisfies MetricDeclarations;
