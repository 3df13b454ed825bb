/** Curiosity's batches: rows to be scored, and rows to learn from. A batch is always full: what is left over is filled up. */
import type { ObjectiveBatch } from '../../learner/objective-learner.ts';
import type { Stream } from '../../random/streams.ts';
import type { IntrinsicSteps } from './intrinsic-steps.ts';
import { copyRow, type createActionCoder, type OwnSteps } from './samples.ts';

type Columns = ObjectiveBatch['columns'];

/** What a sample is made of. */
export interface SampleSpec {
  readonly observationSize: number;
  readonly codeAction: ReturnType<typeof createActionCoder>;
}

/** Copies sample i and what it led to, as far as the objective asks for them. */
function copySample(
  steps: OwnSteps,
  { observationSize: size, codeAction }: SampleSpec,
  i: number,
  columns: Columns,
  to: number,
): void {
  const { rollout } = steps;
  copyRow(rollout.observations, i, size, columns.observations, to);
  if (columns.nextObservations !== undefined)
    copyRow(steps.nextRows(i), steps.nextRow(i), size, columns.nextObservations, to);
  if (columns.actions === undefined) return;
  const codeSize = columns.actions.length / columns.returns.length;
  codeAction(rollout.actions, i, columns.actions as Float32Array, to * codeSize);
}

/**
 * Rows [first, first + batchSize) of: the S samples, then the N observations that rows are closed with, whose value alone is asked for. Beyond the
 * last one, that one again.
 */
export function fillScored(
  steps: OwnSteps,
  spec: SampleSpec,
  first: number,
  batchSize: number,
  columns: Columns,
): void {
  const { samples, rollout } = steps;
  for (let r = 0; r < batchSize; r++) {
    const k = Math.min(first + r, samples.length + rollout.numRows - 1);
    const n = k - samples.length;
    copySample(steps, spec, samples[n < 0 ? k : 0], columns, r); // a closing row's other columns are not looked at
    if (n >= 0)
      copyRow(steps.closingRows(n), steps.closingRow(n), spec.observationSize, columns.observations, r);
  }
}

export interface SampleChoice {
  /** Flat, i32 [at most B]. */
  readonly indices: Int32Array;
  /** Of the samples, those that the bonus's networks learn from. */
  readonly share: number;
  /** Drawn from once a sample where the share is below 1. */
  readonly stream: Stream;
}

/** Samples to learn from. Weights make a mean over the batch one over the samples that are meant. */
export function fillSample(
  steps: OwnSteps,
  { returns }: IntrinsicSteps,
  spec: SampleSpec,
  { indices, share, stream }: SampleChoice,
  columns: Columns,
): void {
  const { valueWeights, bonusWeights } = columns;
  const batchSize = valueWeights.length;
  const numSamples = indices.length;
  for (let r = 0; r < batchSize; r++) {
    const i = indices[Math.min(r, numSamples - 1)];
    copySample(steps, spec, i, columns, r);
    columns.returns[r] = returns[i];
    valueWeights[r] = r < numSamples ? batchSize / numSamples : 0;
  }
  if (bonusWeights === undefined) return;
  let numChosen = 0;
  for (let r = 0; r < batchSize; r++) {
    const isChosen = r < numSamples && (share === 1 || stream.uniform() < share);
    bonusWeights[r] = isChosen ? 1 : 0;
    if (isChosen) numChosen++;
  }
  for (let r = 0; r < batchSize; r++) bonusWeights[r] *= batchSize / Math.max(1, numChosen);
}
