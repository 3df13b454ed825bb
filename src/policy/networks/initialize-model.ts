/** First values of a model's parameters; every engine starts from these. */
import type { Stream } from '../../random/streams.ts';
import { deviationsOf, type ModelSpec, modelLayout } from './model.ts';

export interface InitializeModelOptions {
  /** Bound of the uniform weights and biases of these networks' heads, in place of the one by fan-in: 3e-3 for TD3's actor. */
  readonly headBounds?: Readonly<Record<string, number>>;
}

/**
 * Kernels and biases are U(-1/sqrt(fanIn), 1/sqrt(fanIn)), PyTorch's default for Linear and Conv2d, where published off-policy results
 * come from, all of a recurrent cell of H units U(-1/sqrt(H), 1/sqrt(H)), as there; gains of layer normalisation 1, shifts 0, deviations of noisy layers
 * `initialDeviation` / sqrt(fanIn), free parameters as the model says. Targets begin as copies. Padding is 0.
 *
 * @param stream drawn from in the layout's order.
 * @returns f32 [layout.size], a new array.
 */
export function initializeModel(
  model: ModelSpec,
  stream: Stream,
  { headBounds = {} }: InitializeModelOptions = {},
): Float32Array {
  const { entries, ranges, size, trainedSize } = modelLayout(model);
  const parameters = new Float32Array(size);
  const deviations = new Map(
    Object.entries(model.networks).map(([name, network]) => [deviationsOf(name), network.initialDeviation]),
  );
  const units = new Map(
    Object.entries(model.networks).map(([name, { trunk }]) => [
      name,
      trunk.kind === 'mlp' ? trunk.cell?.size : undefined,
    ]),
  );
  let bound = 1; // a bias has that of its kernel, which stands before it
  for (const { name, shape, offset, size: length } of entries) {
    if (offset >= trainedSize) break;
    const target = parameters.subarray(offset, offset + length);
    const [network, layer, part] = splitName(name);
    const constant = model.free[name]?.initial ?? CONSTANTS[part];
    if (constant !== undefined) {
      target.fill(constant);
      continue;
    }
    if (part === 'kernel') bound = 1 / Math.sqrt(length / shape[shape.length - 1]);
    if (layer === 'cell') bound = 1 / Math.sqrt(units.get(network) ?? 1);
    const deviation = deviations.get(network);
    if (deviation !== undefined) {
      target.fill(deviation * bound);
      continue;
    }
    if (layer === 'head') bound = headBounds[network] ?? bound;
    for (let k = 0; k < length; k++) target[k] = bound * (2 * stream.uniform() - 1);
  }
  for (const [target, source] of Object.entries(model.targets)) {
    const from = ranges[source];
    parameters.copyWithin(ranges[target].offset, from.offset, from.offset + from.size);
  }
  return parameters;
}

const CONSTANTS: Readonly<Record<string, number | undefined>> = { gain: 1, shift: 0 };

/** `q1/0/kernel` is of network `q1`, layer `0`, and a `kernel`. */
function splitName(name: string): readonly [network: string, layer: string, part: string] {
  const parts = name.split('/');
  return [parts.slice(0, -2).join('/'), parts[parts.length - 2], parts[parts.length - 1]];
}
