/** Metrics of a bonus for what is new. */
import type { MetricDeclarations, MetricsOf } from './metric-keys.ts';

export const curiosityMetrics = {
  'train/intrinsicRewardMean': {
    unit: '-',
    window: 'iteration',
    formula:
      'mean bonus of a step, divided by the deviation of its discounted sum (rnd, icm); of `curiosity`, as the others here',
  },
  'train/intrinsicValueLoss': {
    unit: '-',
    window: 'iteration',
    formula: "half the mean squared error of the bonus's value; mean over minibatches",
  },
  'train/intrinsicExplainedVariance': {
    unit: '-',
    window: 'iteration',
    formula: '1 - Var(returns - values) / Var(returns) of the bonus; left out when Var(returns) = 0',
  },
  'train/predictionLoss': {
    unit: '-',
    window: 'iteration',
    formula:
      "mean squared error of the predictor (rnd) or of the forward model's features (icm): what the bonus is made of; mean over minibatches",
  },
  'train/inverseLoss': {
    unit: '-',
    window: 'iteration',
    formula:
      "icm: cross-entropy of the inverse model to each choice and half its squared error in each number, summed over the action's elements; mean over minibatches",
  },
  'train/numObservationsVisited': {
    unit: 'observations',
    window: 'run',
    formula: 'count: different observations seen so far',
  },
  'time/curiosityMs': {
    unit: 'ms',
    window: 'iteration',
    formula: 'wall time of scoring a rollout for its bonus and of learning from it',
  },
} as const satisfies MetricDeclarations;

export type CuriosityMetrics = MetricsOf<typeof curiosityMetrics>;
