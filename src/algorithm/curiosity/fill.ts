/** Curiosity's batches: rows to be scored, and rows to learn from. A batch is always full: what is left over is filled up. */
import type { RolloutViews } from '../../experience/layout.ts';
import type { ObjectiveBatch } from '../../learner/objective-learner.ts';
import type { Stream } from '../../random/streams.ts';
import type { IntrinsicSteps } from './intrinsic-steps.ts';
import { copyRow, type createActionCoder, nextRow, nextRows } from './samples.ts';

type Columns = ObjectiveBatch['columns'];

/** What a sample is made of. */
export interface SampleSpec {
  readonly observationSize: number;
  readonly codeAction: ReturnType<typeof createActionCoder>;
}

/** Copies sample i and what it led to, as far as the objective asks for them. */
function copySample(
  rollout: RolloutViews,
  { observationSize: size, codeAction }: SampleSpec,
  i: number,
  columns: Columns,
  to: number,
): void {
  copyRow(rollout.observations, i, size, columns.observations, to);
  if (columns.nextObservations !== undefined)
    copyRow(nextRows(rollout, i), nextRow(rollout, i), size, columns.nextObservations, to);
  if (columns.actions === undefined) return;
  const codeSize = columns.actions.length / columns.returns.length;
  codeAction(rollout.actions, i, columns.actions as Float32Array, to * codeSize);
}

/**
 * Rows [first, first + batchSize) of: the N * T samples, then the N observations after the rollout, whose value alone is asked for. Beyond the
 * last one, that one again.
 */
export function fillScored(
  rollout: RolloutViews,
  spec: SampleSpec,
  first: number,
  batchSize: number,
  columns: Columns,
): void {
  const { numRows: N, rolloutLength: T, bootstrapObservations } = rollout;
  for (let r = 0; r < batchSize; r++) {
    const i = Math.min(first + r, N * T + N - 1);
    const row = i - N * T;
    copySample(rollout, spec, row < 0 ? i : row * T, columns, r);
    if (row >= 0) copyRow(bootstrapObservations, row, spec.observationSize, columns.observations, r);
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
  rollout: RolloutViews,
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
    copySample(rollout, spec, i, columns, r);
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
