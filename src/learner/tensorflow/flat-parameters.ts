/** Between the flat parameter vector and the tensors of a network. */
import type { ParameterTensors } from '../../policy/tensor-layers.ts';
import type { Tensor, TensorFlow } from '../../policy/tensor-types.ts';
import type { ParameterLayout } from '../../weights/parameter-layout.ts';

/** Cuts the flat vector [layout.size] into its entries. Slices along the first dimension cost no copy in TensorFlow. */
export function unpackParameters(tf: TensorFlow, layout: ParameterLayout, flat: Tensor): ParameterTensors {
  const tensors: Record<string, Tensor> = {};
  for (const { name, shape, offset, size } of layout.entries) {
    tensors[name] = tf.reshape(tf.slice(flat, [offset], [size]), [...shape]);
  }
  return tensors;
}

/** Joins one tensor per entry into a flat vector [layout.size], zeros in between; an absent one counts as zeros. */
export function packParameters(
  tf: TensorFlow,
  layout: ParameterLayout,
  tensors: Readonly<Record<string, Tensor | undefined>>,
): Tensor {
  const pieces: Tensor[] = [];
  let end = 0;
  const padTo = (offset: number) => {
    if (offset > end) pieces.push(tf.zeros([offset - end]));
  };
  for (const { name, offset, size } of layout.entries) {
    padTo(offset);
    const tensor = tensors[name];
    pieces.push(tensor === undefined ? tf.zeros([size]) : tf.reshape(tensor, [size]));
    end = offset + size;
  }
  padTo(layout.size);
  return tf.concat(pieces, 0);
}
