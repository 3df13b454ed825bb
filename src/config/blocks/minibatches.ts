/** How often an on-policy algorithm goes over its rollout, and in what portions. */
import { option } from '../option.ts';
import { conflict, type Problem } from '../problems.ts';
import { choice } from '../search-space.ts';
import * as kind from '../value-kind.ts';

export const minibatchOptions = {
  numEpochs: option(kind.integer({ min: 1, max: 1000 }), {
    default: 10,
    doc: 'Passes over each rollout.',
    search: choice([1, 2, 5, 10, 20]),
    alsoCalled: ['num_epochs', 'n_epochs', 'num_sgd_iter', 'epochs', 'updateEpochs'],
  }),
  minibatchSize: option(kind.integer({ min: 1 }), {
    default: 64,
    unit: 'samples',
    doc: 'Samples per gradient step, at most numEnvs * rolloutLength; when it does not divide that, the last one is smaller.',
    search: choice([32, 64, 128, 256]),
    alsoCalled: ['minibatch_size', 'sgd_minibatch_size', 'batchSize', 'batch_size'],
  }),
};

export function checkMinibatches({
  training: { minibatchSize },
  envRunners: { numEnvs, rolloutLength },
}: {
  readonly training: { readonly minibatchSize: number };
  readonly envRunners: { readonly numEnvs: number; readonly rolloutLength: number };
}): readonly Problem[] {
  const numSamples = numEnvs * rolloutLength;
  if (minibatchSize <= numSamples) return [];
  return [
    conflict(
      `minibatchSize (${minibatchSize}) must not exceed the rollout of ${numSamples} samples (numEnvs ${numEnvs} * ` +
        `rolloutLength ${rolloutLength}): lower minibatchSize, or raise one of the two.`,
    ),
  ];
}
