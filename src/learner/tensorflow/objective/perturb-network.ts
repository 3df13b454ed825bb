/** A network with noisy layers as one draw of them, in tfjs operations; the equations are in `parameter-noise.ts`. */
import { deviationsOf } from '../../../policy/networks/model.ts';
import type { ParameterTensors } from '../../../policy/tensor-layers.ts';
import type { Tensor, TensorFlow } from '../../../policy/tensor-types.ts';

/** The parameters, with those of `network` that have deviations moved. @param factors [f(e), f(e') of layer after layer] f32. */
export function perturbNetwork(
  tf: TensorFlow,
  parameters: ParameterTensors,
  network: string,
  factors: Tensor,
): ParameterTensors {
  const owner = `${deviationsOf(network)}/`;
  const moved: Record<string, Tensor> = { ...parameters };
  let at = 0;
  const take = (size: number) => {
    at += size;
    return tf.slice(factors, [at - size], [size]);
  };
  for (const name of Object.keys(parameters)) {
    if (!name.startsWith(owner) || !name.endsWith('/kernel')) continue;
    const layer = name.slice(owner.length, -'/kernel'.length);
    const [inputs, outputs] = parameters[name].shape as [number, number];
    const rows = tf.reshape(take(inputs), [inputs, 1]);
    const columns = take(outputs);
    const move = (part: string, noise: Tensor) => {
      const mean = parameters[`${network}/${layer}/${part}`];
      moved[`${network}/${layer}/${part}`] = tf.add(
        mean,
        tf.mul(parameters[`${owner}${layer}/${part}`], noise),
      );
    };
    move('kernel', tf.mul(rows, columns)); // [inputs, outputs]
    move('bias', columns);
  }
  return moved;
}
