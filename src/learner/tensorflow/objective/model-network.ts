/** The networks of a model in tfjs operations, over the entries of its flat parameter vector. */
import { type ModelNetwork, type ModelSpec, networkNamed } from '../../../policy/networks/model.ts';
import { activate, dense, normalizeLayer, type ParameterTensors } from '../../../policy/tensor-layers.ts';
import type { Tensor, TensorFlow } from '../../../policy/tensor-types.ts';
import type { StatisticsTensors } from '../gradient-step.ts';

/**
 * Outputs [B, outputs] of a network or a target.
 *
 * @param inputs raw rows, in the network's order; [B, size] each, i32 for pixels.
 * @param statistics null = nothing is normalised, but pixels are always scaled, so they need them.
 */
export function applyNetwork(
  tf: TensorFlow,
  model: ModelSpec,
  parameters: ParameterTensors,
  name: string,
  inputs: readonly Tensor[],
  statistics: StatisticsTensors | null,
): Tensor {
  const network = networkNamed(model, name);
  const prepared = network.inputs.map((input, k) => prepareInput(tf, model, input, inputs[k], statistics));
  const { trunk } = network;
  let x =
    trunk.kind === 'conv' ? convolve(tf, model, network, parameters, name, prepared) : join(tf, prepared);
  trunk.hiddenSizes.forEach((_, k) => {
    const product = dense(tf, parameters, `${name}/${k}`, x);
    const isNormalized = trunk.kind === 'mlp' && trunk.layerNorm;
    const rows = isNormalized ? normalizeLayer(tf, parameters, `${name}/${k}`, product) : product;
    x = activate(tf, trunk.activation, rows);
  });
  return dense(tf, parameters, `${name}/head`, x);
}

const join = (tf: TensorFlow, parts: readonly Tensor[]): Tensor =>
  parts.length === 1 ? parts[0] : tf.concat([...parts], 1);

/** x' = clip((x - mean) * inverseStd, +-clipObservation) where the model says so. */
function prepareInput(
  tf: TensorFlow,
  { inputs, clipObservation }: ModelSpec,
  name: string,
  raw: Tensor,
  statistics: StatisticsTensors | null,
): Tensor {
  const { isNormalized, dtype } = inputs[name];
  const x = dtype === 'uint8' ? tf.cast(raw, 'float32') : raw;
  if (!isNormalized || statistics === null) return x;
  const standardized = tf.mul(tf.sub(x, statistics.mean), statistics.inverseStd);
  return tf.clipByValue(standardized, -clipObservation, clipObservation);
}

/** The convolutions over the first input with relu, flattened, beside the other inputs. */
function convolve(
  tf: TensorFlow,
  model: ModelSpec,
  { inputs, trunk }: ModelNetwork,
  parameters: ParameterTensors,
  name: string,
  [image, ...others]: readonly Tensor[],
): Tensor {
  if (trunk.kind !== 'conv') throw new TypeError(`Expected convolutions in ${name}.`);
  const [numRows] = image.shape;
  let x: Tensor = tf.reshape(image, [numRows, ...model.inputs[inputs[0]].shape]);
  trunk.layers.forEach(([, , stride], k) => {
    const filtered = tf.conv2d(x as never, parameters[`${name}/conv${k}/kernel`] as never, stride, 'valid');
    x = tf.relu(tf.add(filtered, parameters[`${name}/conv${k}/bias`]));
  });
  return join(tf, [tf.reshape(x, [numRows, -1]), ...others]);
}
