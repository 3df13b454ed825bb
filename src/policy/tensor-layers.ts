/** Layers of networks in tfjs operations. */
import { LAYER_NORM_EPSILON } from './networks/dense-rows.ts';
import type { Activation } from './policy-spec.ts';
import type { Tensor, TensorFlow } from './tensor-types.ts';

/** Entries of the flat vector by name, as tensors of their shapes. */
export type ParameterTensors = Readonly<Record<string, Tensor>>;

/** (x - mean) / sqrt(variance + epsilon) over a row's units, then gain and shift. */
export function normalizeLayer(
  tf: TensorFlow,
  parameters: ParameterTensors,
  name: string,
  x: Tensor,
): Tensor {
  const { mean, variance } = tf.moments(x, 1, true);
  const normalized = tf.mul(tf.sub(x, mean), tf.rsqrt(tf.add(variance, LAYER_NORM_EPSILON)));
  return tf.add(tf.mul(normalized, parameters[`${name}/gain`]), parameters[`${name}/shift`]);
}

/** x W + b: [B, in] to [B, out]. */
export function dense(tf: TensorFlow, parameters: ParameterTensors, name: string, x: Tensor): Tensor {
  return tf.add(tf.matMul(x, parameters[`${name}/kernel`]), parameters[`${name}/bias`]);
}

/** Elementwise; leaky-relu has slope 0.01, gelu is the tanh approximation (Hendrycks and Gimpel 2016). */
export function activate(tf: TensorFlow, activation: Activation, x: Tensor): Tensor {
  switch (activation) {
    case 'tanh':
      return tf.tanh(x);
    case 'relu':
      return tf.relu(x);
    case 'elu':
      return tf.elu(x);
    case 'silu':
      return tf.mul(x, tf.sigmoid(x));
    case 'gelu': {
      const inner = tf.mul(tf.add(x, tf.mul(tf.mul(tf.square(x), x), 0.044715)), Math.sqrt(2 / Math.PI));
      return tf.mul(tf.mul(x, 0.5), tf.add(tf.tanh(inner), 1));
    }
    case 'leaky-relu':
      return tf.leakyRelu(x, 0.01);
    case 'sigmoid':
      return tf.sigmoid(x);
    case 'identity':
      return x;
  }
}
