/** PPO's metrics, besides those of every algorithm. */
import { curiosityMetrics } from '../../src/metrics/curiosity-metrics.ts';
import { advantageMetrics, policyMetrics, updateMetrics } from '../../src/metrics/learning-metrics.ts';
import type { MetricDeclarations, MetricsOf } from '../../src/metrics/metric-keys.ts';

export const ppoMetrics = {
  'train/policyLoss': {
    unit: '-',
    window: 'iteration',
    formula:
      '-mean min(r A, clip(r, 1 - clipRange, 1 + clipRange) A), r = exp(logProb - logProbOld), A = normalised advantage; mean over the minibatches that were run',
  },
  'train/valueLoss': {
    unit: 'value^2',
    window: 'iteration',
    formula: 'mean of the value loss before `valueCoeff`; mean over minibatches',
  },
  'train/criticGradNorm': {
    unit: '-',
    window: 'iteration',
    formula:
      "as `train/gradNorm`, of a central critic (`critic: 'central'`), which `train/valueLoss` is then of; left out where there is none",
  },
  'league/rating': {
    unit: 'Elo',
    window: 'recent games',
    formula:
      'maximum-likelihood rating of the policy that learns; the first policy that never changes has 1000 (docs/agents.md)',
  },
  'league/ratingMargin': { unit: 'Elo', window: 'recent games', formula: 'half of its 95% interval' },
  'league/numMembers': {
    unit: 'members',
    window: 'now',
    formula: 'past versions and policies that never change',
  },
  'league/winRatePast': {
    unit: '-',
    window: 'recent games',
    formula:
      'share of points against past versions, a draw as half; games count 0.9 of what they did an iteration before',
  },
  'league/winRateAnchors': {
    unit: '-',
    window: 'recent games',
    formula: 'the same against policies that never change',
  },
  'league/winRateExploiters': {
    unit: '-',
    window: 'recent games',
    formula: 'the same against exploiters as they are; left out where there is none',
  },
  'league/exploiterResets': {
    unit: 'resets',
    window: 'run',
    formula: 'how often exploiters began anew, all together; left out where there is none',
  },
  'train/approxKl': {
    unit: 'nats',
    window: 'iteration',
    formula: 'mean of (r - 1) - log r (the k3 estimator of KL(old, new)); mean over minibatches',
  },
  'train/clipFraction': {
    unit: '-',
    window: 'iteration',
    formula: 'share of samples with |r - 1| > clipRange; mean over minibatches',
  },
  'train/clipRange': { unit: '-', window: 'iteration', formula: 'clip range of the update' },
  'train/entropyCoeff': { unit: '-', window: 'iteration', formula: 'entropy coefficient of the update' },
  'train/klPenaltyCoeff': {
    unit: '-',
    window: 'iteration',
    formula: 'weight of the KL penalty in the update; left out where there is none',
  },
  'train/numEpochs': {
    unit: 'epochs',
    window: 'iteration',
    formula: 'epochs that were run; fewer than `numEpochs` after a target-KL stop',
  },
  ...policyMetrics,
  ...advantageMetrics,
  ...updateMetrics,
  ...curiosityMetrics,
} as const satisfies MetricDeclarations;

export type PPOMetrics = MetricsOf<typeof ppoMetrics>;
