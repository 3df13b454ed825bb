/** Adam inside a captured graph, by TensorFlow's fused operation. */
import type { Scalar, Tensor, TensorFlow } from '../../../policy/tensor-types.ts';
import type { AdamOptions } from '../adam.ts';
import type { GraphVariable } from './graph-nodes.ts';
import type { GraphRecorder } from './graph-recorder.ts';
import { boolAttribute, DATA_TYPES, typeAttribute } from './protobuf.ts';

export interface AdamGraphVariables {
  readonly parameters: GraphVariable;
  readonly m: GraphVariable;
  readonly v: GraphVariable;
}

export interface CapturedAdamStep {
  readonly gradient: Tensor; // [size] f32
  /** Whether to step at all; false leaves parameters and moments as they are, whatever the gradient holds. */
  readonly apply: Tensor; // [] bool
  /** Number of this step, from 1. */
  readonly t: Scalar;
  readonly learningRate: Tensor; // [] f32
}

/**
 * Writes one step, the same as `adamStep`.
 *
 * ResourceApplyAdam divides by sqrt(v) + epsilon without correcting v first, so the corrections go into its step size
 * and epsilon, and its own (the powers of beta) are switched off. 1 - beta^t is -expm1(t log beta), which keeps its
 * precision in float32.
 */
export function emitAdam(
  tf: TensorFlow,
  recorder: GraphRecorder,
  { parameters, m, v }: AdamGraphVariables,
  { gradient, apply, t, learningRate }: CapturedAdamStep,
  { beta1, beta2, epsilon, correctsBias = true }: AdamOptions,
): void {
  const T = typeAttribute(DATA_TYPES.float32);
  const select = (value: Tensor, otherwise: Tensor) => {
    const selected = tf.zerosLike(value);
    recorder.emit({
      op: 'SelectV2',
      attributes: { T },
      inputs: [apply, value, otherwise],
      outputs: [selected],
    });
    return selected;
  };
  const correction = (beta: number) =>
    correctsBias ? tf.neg(tf.expm1(tf.mul(t, Math.log(beta)))) : tf.scalar(1);
  const rootCorrection2 = tf.sqrt(correction(beta2));
  const stepSize = tf.div(tf.mul(learningRate, rootCorrection2), correction(beta1));
  const zero = tf.scalar(0);
  const one = tf.scalar(1);
  recorder.emit({
    op: 'ResourceApplyAdam',
    attributes: { T, use_locking: boolAttribute(false), use_nesterov: boolAttribute(false) },
    inputs: [
      parameters,
      m,
      v,
      zero, // beta1 to the power of t
      zero,
      select(stepSize, zero),
      select(tf.scalar(beta1), one),
      select(tf.scalar(beta2), one),
      tf.mul(rootCorrection2, epsilon),
      select(gradient, zero),
    ],
    effect: true,
  });
}
