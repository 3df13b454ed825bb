/** Flat parameter vectors as named tensors, and back. */

import type { NamedTensor } from '../checkpoint/content.ts';
import { CheckpointError } from '../errors.ts';
import type { ParameterLayout } from '../weights/parameter-layout.ts';

/** One tensor per entry, `prefix + name`; copies. */
export function parametersToTensors(
  flat: Float32Array,
  layout: ParameterLayout,
  prefix = '',
): Record<string, NamedTensor> {
  const entries = layout.entries.map(({ name, shape, offset, size }) => {
    const tensor: NamedTensor = { dtype: 'float32', shape, data: flat.slice(offset, offset + size) };
    return [`${prefix}${name}`, tensor] as const;
  });
  return Object.fromEntries(entries);
}

/**
 * @throws {@link CheckpointError} `CHECKPOINT_NETWORK` naming the tensor that is missing or has another shape.
 */
export function tensorsToParameters(
  tensors: Readonly<Record<string, NamedTensor>>,
  layout: ParameterLayout,
  prefix = '',
): Float32Array {
  const flat = new Float32Array(layout.size);
  for (const { name, shape, offset } of layout.entries) {
    const tensor = tensors[`${prefix}${name}`];
    const found = tensor === undefined ? 'nothing' : `[${tensor.shape.join(', ')}]`;
    if (tensor === undefined || tensor.shape.join() !== shape.join()) {
      throw new CheckpointError(
        'CHECKPOINT_NETWORK',
        `Expected \`${prefix}${name}\` of shape [${shape.join(', ')}] in the checkpoint, found ${found}: it was made with another network. Use the same \`hiddenSizes\`, \`sharedLayers\`, \`network\` and \`useGsde\`.`,
      );
    }
    flat.set(tensor.data, offset);
  }
  return flat;
}
