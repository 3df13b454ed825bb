/** The parameters and statistics of a policy from a safetensors file: only what is asked for is read, and that is checked. */
import { CheckpointError } from '../errors.ts';
import type { ActingSpec } from '../policy/policy-spec.ts';
import type { ObservationStatistics } from '../weights/observation-statistics.ts';
import type { ParameterLayout } from '../weights/parameter-layout.ts';

/** As the header describes a tensor. */
interface Entry {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly data_offsets: readonly [number, number];
}

/** @throws CheckpointError `CHECKPOINT_TENSORS` for what is no safetensors file, `CHECKPOINT_NETWORK` for a tensor that is missing or unfit. */
export function readParameters(
  bytes: Uint8Array,
  { entries, size }: ParameterLayout,
  { normalizeObservations, observationSize }: ActingSpec,
): { readonly parameters: Float32Array; readonly statistics: ObservationStatistics | null } {
  const tensor = openTensors(bytes);
  const parameters = new Float32Array(size);
  for (const { name, shape, offset } of entries) parameters.set(tensor(name, shape), offset);
  if (!normalizeObservations) return { parameters, statistics: null };
  const [mean, inverseStd] = ['mean', 'inverseStd'].map((name) =>
    tensor(`observation/${name}`, [observationSize]),
  );
  return { parameters, statistics: { mean, inverseStd } };
}

function openTensors(bytes: Uint8Array): (name: string, shape: readonly number[]) => Float32Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const headerSize = bytes.length < 8 ? Number.NaN : Number(view.getBigUint64(0, true));
  const start = 8 + headerSize;
  let header: Record<string, Entry | undefined>;
  try {
    if (!(start <= bytes.length)) throw new RangeError('it is cut off');
    header = JSON.parse(new TextDecoder().decode(bytes.subarray(8, start)));
  } catch (cause) {
    const message = 'The weights are not a whole safetensors file.';
    throw new CheckpointError('CHECKPOINT_TENSORS', message, { cause });
  }
  return (name, shape) => {
    const { dtype, shape: found, data_offsets: offsets } = Object(header[name]) as Entry;
    const [begin, end] = Array.isArray(offsets) ? offsets : [0, -1];
    const size = shape.reduce((product, side) => product * side, 1);
    const fits = dtype === 'F32' && String(found) === String(shape) && end - begin === 4 * size && begin >= 0;
    // Read one by one: the file need not be aligned, and is little-endian wherever this runs.
    const data = new Float32Array(fits && start + end <= bytes.length ? size : 0);
    for (let i = 0; i < data.length; i++) data[i] = view.getFloat32(start + begin + 4 * i, true);
    if (data.length === size && data.every(Number.isFinite)) return data;
    const message = `Expected \`${name}\` of the weights to be [${shape.join(', ')}] finite float32 numbers: they belong to another network, or are damaged.`;
    throw new CheckpointError('CHECKPOINT_NETWORK', message);
  };
}
