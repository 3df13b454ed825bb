/** A slow float64 forward pass of a model's dense networks, and gradients by central differences. */
import { type ModelSpec, modelLayout, networkNamed } from '../../src/policy/networks/model.ts';
import { ACTIVATIONS } from './mlp-reference.ts';

/** Outputs [outputs] of one row. */
export function forwardRow(
  model: ModelSpec,
  parameters: Float64Array,
  name: string,
  inputs: readonly (readonly number[])[],
): number[] {
  const { trunk } = networkNamed(model, name);
  const { entries } = modelLayout(model);
  const entry = (layer: string) => {
    const found = entries.find((candidate) => candidate.name === `${name}/${layer}`);
    return found === undefined ? null : parameters.subarray(found.offset, found.offset + found.size);
  };
  let x = inputs.flat();
  const layers = [...trunk.hiddenSizes.map((_, k) => `${k}`), 'head'];
  for (const layer of layers) {
    const kernel = entry(`${layer}/kernel`) as Float64Array;
    const bias = entry(`${layer}/bias`) as Float64Array;
    let y = Array.from(bias, (b, j) =>
      x.reduce((sum, value, i) => sum + value * kernel[i * bias.length + j], b),
    );
    if (layer !== 'head') {
      const gain = entry(`${layer}/gain`);
      if (gain !== null) y = normalizeRow(y, gain, entry(`${layer}/shift`) as Float64Array);
      y = y.map((value) => ACTIVATIONS[trunk.activation].f(value));
    }
    x = y;
  }
  return x;
}

function normalizeRow(y: readonly number[], gain: Float64Array, shift: Float64Array): number[] {
  const mean = y.reduce((sum, value) => sum + value, 0) / y.length;
  const variance = y.reduce((sum, value) => sum + (value - mean) ** 2, 0) / y.length;
  return y.map((value, j) => ((value - mean) / Math.sqrt(variance + 1e-5)) * gain[j] + shift[j]);
}

/** dloss/dparameters[from, to) by central differences in float64. */
export function differences(
  loss: (parameters: Float64Array) => number,
  parameters: Float64Array,
  from: number,
  to: number,
  step = 1e-5,
): Float64Array {
  const gradient = new Float64Array(to - from);
  const moved = parameters.slice();
  for (let k = from; k < to; k++) {
    moved[k] = parameters[k] + step;
    const above = loss(moved);
    moved[k] = parameters[k] - step;
    gradient[k - from] = (above - loss(moved)) / (2 * step);
    moved[k] = parameters[k];
  }
  return gradient;
}
