/** The seam between an algorithm and the TensorFlow engine: the losses of an objective's steps, in tfjs operations. */
import type { Scalar, Tensor, TensorFlow } from '../../../policy/tensor-types.ts';

/** What a step's loss is made of. Tensors are of the running batch of B rows; whoever runs the step frees them. */
export interface TensorScope {
  readonly tf: TensorFlow;
  /**
   * Outputs [B, outputs] of a network or target; inputs raw, in the network's order: they are normalised here.
   *
   * @param noise one of the objective's, of this network; absent = its parameters as they are.
   */
  apply(network: string, inputs: readonly Tensor[], noise?: string): Tensor;
  /** [B, size] f32, or i32 for int32 and uint8 columns. */
  column(name: string): Tensor;
  /** [B] f32. */
  vector(name: string): Tensor;
  /** Free parameters. */
  free(name: string): Tensor;
  scalar(name: string): Scalar;
}

export interface StepLoss {
  /** What its groups' parameters are differentiated by; means over the batch. */
  readonly loss: Scalar;
  /** The step's statistics. */
  readonly stats: Readonly<Record<string, Scalar>>;
  /** [B] each; of the first step only. */
  readonly rowOutputs?: Readonly<Record<string, Tensor>>;
}

/**
 * One step: what it computes itself is constant, what the function that it gives computes is differentiated. Pure tfjs operations: it
 * is recorded once and replayed as a graph, so numbers that change between calls are scalars, not closures.
 */
export type TensorStep = (scope: TensorScope) => () => StepLoss;

/** In the order of `ObjectiveSpec.steps`. */
export type TensorObjective = readonly TensorStep[];
