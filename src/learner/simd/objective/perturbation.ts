/** Parameter noise on the SIMD engine: networks as an update sees them, and what flows to the deviations of a slab's gradient. */
import { deviationsOf, type ModelSpec, modelLayout } from '../../../policy/networks/model.ts';
import { createParameterNoise } from '../../../policy/networks/parameter-noise.ts';
import type { Kernels } from '../../../simd/kernel-exports.ts';
import type { NoiseRegion, ObjectiveLayout } from './regions.ts';

/** A dense layer's kernel, or its bias, whose rows have no factor; bytes from the network's and from its deviations' beginning. */
interface NoisyTensor {
  readonly tensor: number;
  readonly deviations: number;
  /** Bytes from the first factor; null = 1. */
  readonly rows: number | null;
  readonly columns: number;
  readonly inputs: number;
  readonly outputs: number;
}

function noisyTensors(model: ModelSpec, network: string): NoisyTensor[] {
  return createParameterNoise(model, network).layers.flatMap(
    ({ inputs, outputs, factor, kernel, bias, kernelStd, biasStd }) => {
      const rows = 4 * factor;
      const columns = rows + 4 * inputs;
      return [
        { tensor: 4 * kernel, deviations: 4 * kernelStd, rows, columns, inputs, outputs },
        { tensor: 4 * bias, deviations: 4 * biasStd, rows: null, columns, inputs: 1, outputs },
      ];
    },
  );
}

/** Runs the kernel over every tensor of a draw: out = base + a times the noise. @param base 0 = nothing. */
function createScaling(
  model: ModelSpec,
  { network, factors }: NoiseRegion,
  kernels: Kernels,
  places: (tensor: NoisyTensor) => { readonly out: number; readonly a: number },
) {
  const tensors = noisyTensors(model, network).map((tensor) => ({
    ...tensor,
    ...places(tensor),
    rows: tensor.rows === null ? 0 : factors + tensor.rows,
    columns: factors + tensor.columns,
  }));
  return (shift: number, isAdded: boolean) => {
    for (const { out, a, rows, columns, inputs, outputs } of tensors)
      kernels.scaleByOuter(out + shift, isAdded ? out + shift : 0, a + shift, rows, columns, inputs, outputs);
  };
}

/** @returns what makes perturbed networks from parameters and factors, once the batch is filled. Thread: main. Cost: some 0.3 ns a weight. */
export function createPerturbation(
  model: ModelSpec,
  layout: ObjectiveLayout,
  kernels: Kernels,
  buffer: ArrayBufferLike,
): () => void {
  const { ranges, size } = modelLayout(model);
  const parameters = new Float32Array(buffer, layout.parameters, size);
  const draws = layout.noises.map((draw) => {
    const { offset, size: length } = ranges[draw.network];
    const deviations = layout.parameters + 4 * ranges[deviationsOf(draw.network)].offset;
    return {
      source: parameters.subarray(offset, offset + length),
      perturbed: new Float32Array(buffer, draw.perturbed, length),
      perturb: createScaling(model, draw, kernels, ({ tensor, deviations: from }) => ({
        out: draw.perturbed + tensor,
        a: deviations + from,
      })),
    };
  });
  return () => {
    for (const { source, perturbed, perturb } of draws) {
      perturbed.set(source); // gains and shifts have no noise
      perturb(0, true);
    }
  };
}

/** @returns what writes the deviations' part of an item's slab, out of the network's; linear, so once for all blocks of the item. */
export function createDeviationFlow(
  model: ModelSpec,
  layout: ObjectiveLayout,
  names: readonly string[],
  kernels: Kernels,
): (item: number) => void {
  const { ranges } = modelLayout(model);
  const flows = layout.noises
    .filter(({ name }) => names.includes(name))
    .map((draw) =>
      createScaling(model, draw, kernels, ({ tensor, deviations }) => ({
        out: layout.slabs + 4 * ranges[deviationsOf(draw.network)].offset + deviations,
        a: layout.slabs + 4 * ranges[draw.network].offset + tensor,
      })),
    );
  return (item) => {
    for (const flow of flows) flow(item * layout.slabBytes, false);
  };
}
