/** Parameter noise on the SIMD engine: networks as an update sees them, and what flows to the deviations of a slab's gradient. */
import { deviationsOf, type ModelSpec, modelLayout } from '../../../policy/networks/model.ts';
import { createParameterNoise } from '../../../policy/networks/parameter-noise.ts';
import type { ObjectiveLayout } from './regions.ts';

/** @returns what makes perturbed networks from parameters and factors, once the batch is filled. Thread: main. Cost: some 2 ns a weight. */
export function createPerturbation(
  model: ModelSpec,
  layout: ObjectiveLayout,
  buffer: ArrayBufferLike,
): () => void {
  const { ranges, size } = modelLayout(model);
  const parameters = new Float32Array(buffer, layout.parameters, size);
  const part = (name: string) =>
    parameters.subarray(ranges[name].offset, ranges[name].offset + ranges[name].size);
  const draws = layout.noises.map(({ network, factors, perturbed }) => {
    const noise = createParameterNoise(model, network);
    return {
      noise,
      source: part(network),
      deviations: part(deviationsOf(network)),
      factors: new Float32Array(buffer, factors, noise.size),
      perturbed: new Float32Array(buffer, perturbed, ranges[network].size),
    };
  });
  return () => {
    for (const { noise, source, deviations, factors, perturbed } of draws) {
      perturbed.set(source);
      noise.perturb(perturbed, deviations, factors);
    }
  };
}

/** @returns what writes the deviations' part of an item's slab, out of the network's; linear, so once for all blocks of the item. */
export function createDeviationFlow(
  model: ModelSpec,
  layout: ObjectiveLayout,
  names: readonly string[],
  buffer: ArrayBufferLike,
  slabs: readonly Float32Array[],
): (item: number) => void {
  const { ranges } = modelLayout(model);
  const draws = layout.noises
    .filter(({ name }) => names.includes(name))
    .map(({ network, factors }) => {
      const noise = createParameterNoise(model, network);
      const part = (slab: Float32Array, name: string) =>
        slab.subarray(ranges[name].offset, ranges[name].offset + ranges[name].size);
      return {
        noise,
        factors: new Float32Array(buffer, factors, noise.size),
        gradients: slabs.map((slab) => part(slab, network)),
        byDeviations: slabs.map((slab) => part(slab, deviationsOf(network))),
      };
    });
  return (item) => {
    for (const { noise, factors, gradients, byDeviations } of draws)
      noise.flowBack(gradients[item], factors, byDeviations[item]);
  };
}
