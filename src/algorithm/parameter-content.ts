/** Flat parameter vectors as named tensors, and back. */

import type { NamedTensor } from '../checkpoint/content.ts';
import { readTensor } from '../checkpoint/tensor-rules.ts';
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
 * Nothing is allocated before all of it fits.
 *
 * @param values `nonNegative` for what is never negative (Adam's second moments).
 * @throws {@link CheckpointError} `CHECKPOINT_NETWORK` naming the tensor that is missing or has another shape or dtype;
 * `CHECKPOINT_STATE` for a number that is not finite.
 */
export function tensorsToParameters(
  tensors: Readonly<Record<string, NamedTensor>>,
  layout: ParameterLayout,
  prefix = '',
  values: 'finite' | 'nonNegative' = 'finite',
): Float32Array {
  checkTensors(tensors, layout, prefix, values);
  const flat = new Float32Array(layout.size);
  for (const { name, offset } of layout.entries) flat.set(tensors[`${prefix}${name}`].data, offset);
  return flat;
}

function checkTensors(
  tensors: Readonly<Record<string, NamedTensor>>,
  layout: ParameterLayout,
  prefix: string,
  values: 'finite' | 'nonNegative',
): void {
  for (const { name, shape } of layout.entries) {
    const path = `${prefix}${name}`;
    const tensor = Object.hasOwn(tensors, path) ? tensors[path] : undefined;
    const found = tensor === undefined ? 'nothing' : `${tensor.dtype} [${tensor.shape.join(', ')}]`;
    if (tensor?.dtype !== 'float32' || tensor.shape.join() !== shape.join()) {
      throw new CheckpointError(
        'CHECKPOINT_NETWORK',
        `Expected \`${path}\` of shape [${shape.join(', ')}] in the checkpoint, found ${found}: it was made with another network. Use the same \`hiddenSizes\`, \`sharedLayers\`, \`network\` and \`useGsde\`.`,
      );
    }
    readTensor(tensors, 'parameters', path, { dtype: 'float32', shape, values });
  }
}
