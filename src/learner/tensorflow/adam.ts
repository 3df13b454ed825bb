/** Adam over the flat parameter vector. */
import type { Tensor, TensorFlow, Variable } from '../../policy/tensor-types.ts';

export interface AdamOptions {
  readonly beta1: number;
  readonly beta2: number;
  /** Added to sqrt(v / (1 - beta2^t)), as in PyTorch. */
  readonly epsilon: number;
  /** Absent = true; false, with beta1 0, makes RMSProp of Adam: p - lr g / (sqrt(v) + epsilon). */
  readonly correctsBias?: boolean;
}

export const ADAM_DEFAULTS: AdamOptions = { beta1: 0.9, beta2: 0.999, epsilon: 1e-5 };

/** The learner's variables, all of the layout's size. */
export interface AdamVariables {
  readonly parameters: Variable;
  readonly m: Variable;
  readonly v: Variable;
}

/**
 * One step of Adam (Kingma and Ba 2015, arXiv:1412.6980) in PyTorch's form:
 *
 *     m = beta1 m + (1 - beta1) g;   v = beta2 v + (1 - beta2) g^2
 *     p = p - lr m / (1 - beta1^t) / (sqrt(v / (1 - beta2^t)) + epsilon)
 *
 * written with corrected scalars, p = p - lr' m / (sqrt(v) + epsilon'), lr' = lr sqrt(1 - beta2^t) / (1 - beta1^t),
 * epsilon' = epsilon sqrt(1 - beta2^t), so that the corrections are computed in float64.
 *
 * @param t number of this step, from 1.
 */
export function adamStep(
  tf: TensorFlow,
  { parameters, m, v }: AdamVariables,
  gradient: Tensor,
  t: number,
  learningRate: number,
  { beta1, beta2, epsilon, correctsBias = true }: AdamOptions,
): void {
  tf.tidy(() => {
    const lack = (beta: number) => (correctsBias ? 1 - beta ** t : 1);
    const correction = Math.sqrt(lack(beta2));
    const newM = tf.add(tf.mul(m, beta1), tf.mul(gradient, 1 - beta1));
    const newV = tf.add(tf.mul(v, beta2), tf.mul(tf.square(gradient), 1 - beta2));
    const denominator = tf.add(tf.sqrt(newV), epsilon * correction);
    const stepSize = (learningRate * correction) / lack(beta1);
    m.assign(newM);
    v.assign(newV);
    parameters.assign(tf.sub(parameters, tf.mul(tf.div(newM, denominator), stepSize)));
  });
}
