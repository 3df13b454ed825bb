/** The seam between an algorithm and the TensorFlow engine: its loss, in tfjs operations. */
import type { NetworkOutputs, Scalar, Tensor, TensorFlow } from '../../policy/tensor-types.ts';

/** One minibatch of B rows, gathered. */
export interface TensorBatch {
  readonly actions: Tensor; // [B, A] i32 or f32
  readonly masks: Tensor | null; // [B, P] f32 of 0 and 1
  readonly oldLogProbs: Tensor; // [B] f32
  readonly oldValues: Tensor; // [B] f32
  readonly advantages: Tensor; // [B] f32, already normalised when the plan says so
  readonly returns: Tensor; // [B] f32
}

export interface LossResult {
  readonly loss: Scalar;
  /** Means over the minibatch, by metric name; not differentiated. */
  readonly stats: Readonly<Record<string, Scalar>>;
}

/**
 * A loss and its statistics; tfjs differentiates `loss`. It must be a pure function made of tfjs operations alone, since it is
 * recorded once and replayed as a graph: numbers that change between calls are `scalars` (tensors), not closures.
 */
export type TensorLoss = (
  tf: TensorFlow,
  outputs: NetworkOutputs,
  batch: TensorBatch,
  scalars: Readonly<Record<string, Scalar>>,
) => LossResult;
