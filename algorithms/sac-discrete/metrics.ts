/** Discrete SAC's metrics: SAC's, but for those of continuous actions. */
import type { MetricDeclarations } from '../../src/metrics/metric-keys.ts';
import { sacMetrics } from '../sac/metrics.ts';

const {
  'train/actionStd': _std,
  'train/saturation': _saturation,
  'train/gradNorm/exploration': _exploration,
  ...shared
} = sacMetrics;

export const sacDiscreteMetrics = {
  ...shared,
  'train/criticLoss': {
    ...shared['train/criticLoss'],
    formula: 'sum over critics of (q(s, a) - y)^2 / 2; mean over batches',
  },
  'train/actorLoss': {
    ...shared['train/actorLoss'],
    formula:
      'sum over actions of pi(a|s) (temperature log pi(a|s) - min over critics of q(s, a)); mean over batches',
  },
  'train/temperatureLoss': {
    ...shared['train/temperatureLoss'],
    formula:
      '-log(temperature) (targetEntropyScale log(actions) - entropy), where it is learnt; mean over batches',
  },
  'train/entropy': {
    ...shared['train/entropy'],
    formula: '-sum over actions of pi(a|s) log pi(a|s); mean over batches',
  },
  'train/maxProbability': {
    unit: '-',
    window: 'iteration',
    formula: 'probability of the likeliest action: 1 / actions is uniform choice; mean over batches',
  },
} as const satisfies MetricDeclarations;
