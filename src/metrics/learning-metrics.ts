/** Metrics that several algorithms have, in blocks from which one declares its own. */
import type { MetricDeclarations } from './metric-keys.ts';

/** Of an update in minibatches. */
export const updateMetrics = {
  'train/gradNorm': {
    unit: '-',
    window: 'iteration',
    formula: 'global Euclidean norm of the gradient before clipping; mean over minibatches',
  },
  'train/learningRate': { unit: '-', window: 'iteration', formula: 'learning rate of the update' },
  'train/numUpdates': {
    unit: 'updates',
    window: 'iteration',
    formula: 'minibatches whose optimizer step was taken',
  },
  'train/numSkippedUpdates': {
    unit: 'updates',
    window: 'iteration',
    formula: 'minibatches skipped because a loss or gradient was not finite (`nonFinite: skip`)',
  },
  'train/numClippedUpdates': {
    unit: 'updates',
    window: 'iteration',
    formula:
      'minibatches whose step was taken with a clipped gradient because a loss or gradient was not finite (`nonFinite: clip`); they are left out of the means',
  },
} as const satisfies MetricDeclarations;

/** Of a stochastic policy. */
export const policyMetrics = {
  'train/entropy': {
    unit: 'nats',
    window: 'iteration',
    formula: "mean entropy of the policy's action distribution; mean over minibatches",
  },
  'train/actionStd': {
    unit: 'action',
    window: 'iteration',
    formula:
      "mean of exp(logStd) after the update: the Gaussian's standard deviation over action dimensions; with gSDE, over its matrix",
  },
} as const satisfies MetricDeclarations;

/** Of advantages over a critic's values. */
export const advantageMetrics = {
  'train/explainedVariance': {
    unit: '-',
    window: 'iteration',
    formula:
      '1 - Var(returns - values) / Var(returns) over the rollout, values as predicted when it was collected; left out when Var(returns) = 0',
  },
  'time/advantageMs': {
    unit: 'ms',
    window: 'iteration',
    formula: 'wall time of rewards, values and advantages between rollout and update',
  },
} as const satisfies MetricDeclarations;

/** Of workers that are ahead of the learner. */
export const actorLearnerMetrics = {
  'train/explainedVariance': {
    unit: '-',
    window: 'iteration',
    formula:
      '1 - Var(targets - values) / Var(targets) over the last fragment, values of the weights that learnt from it; left out when Var(targets) = 0',
  },
  'time/policyLagMax': {
    unit: 'versions',
    window: 'iteration',
    formula: 'the largest of (policy version that learns - policy version that acted)',
  },
  'time/advantageMs': {
    unit: 'ms',
    window: 'iteration',
    formula: 'wall time of judging fragments by the newest weights, and of their targets',
  },
} as const satisfies MetricDeclarations;

/** Of a replay buffer. */
export const replayMetrics = {
  'replay/size': {
    unit: 'transitions',
    window: 'iteration',
    formula: 'transitions that are kept at its end',
  },
} as const satisfies MetricDeclarations;

/** Of an actor and critics that learn from a replay buffer, each at a rate of its own. */
export const offPolicyActorCriticMetrics = {
  'train/qMean': {
    unit: 'return',
    window: 'iteration',
    formula: 'q(s, a) of the batches, mean over critics',
  },
  'train/targetMean': { unit: 'return', window: 'iteration', formula: 'y of the batches' },
  'train/gradNorm/critic': {
    unit: '-',
    window: 'iteration',
    formula: "norm of the critics' gradient before clipping; mean over batches",
  },
  'train/gradNorm/actor': {
    unit: '-',
    window: 'iteration',
    formula: "norm of the actor's gradient before clipping; mean over batches",
  },
  'train/actorLearningRate': {
    unit: '-',
    window: 'iteration',
    formula: "the actor's learning rate at the end of the iteration",
  },
  'train/criticLearningRate': {
    unit: '-',
    window: 'iteration',
    formula: "the critics' learning rate at the end of the iteration",
  },
  ...replayMetrics,
} as const satisfies MetricDeclarations;
