/** A slow float64 forward pass of a model's dense networks, and gradients by central differences. */
import { dropUnits } from '../../src/learner/dropout.ts';
import { type ModelSpec, modelLayout, networkNamed } from '../../src/policy/networks/model.ts';
import { ACTIVATIONS } from './mlp-reference.ts';

const layouts = new WeakMap<ModelSpec, ReturnType<typeof modelLayout>['entries']>();

/** Asked for every row of every difference. */
function entriesOf(model: ModelSpec) {
  const entries = layouts.get(model) ?? modelLayout(model).entries;
  layouts.set(model, entries);
  return entries;
}

/** Outputs [outputs] of one row. @param masks of dropout, one a hidden layer; none = nothing is dropped. */
export function forwardRow(
  model: ModelSpec,
  parameters: Float64Array,
  name: string,
  inputs: readonly (readonly number[])[],
  masks: readonly (readonly number[])[] = [],
): number[] {
  const { trunk } = networkNamed(model, name);
  const entries = entriesOf(model);
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
      const mask = masks[Number(layer)];
      if (mask !== undefined) y = y.map((value, j) => value * mask[j]);
      const gain = entry(`${layer}/gain`);
      if (gain !== null) y = normalizeRow(y, gain, entry(`${layer}/shift`) as Float64Array);
      y = y.map((value) => ACTIVATIONS[trunk.activation].f(value));
    }
    x = y;
  }
  return x;
}

/** What dropout multiplies each hidden layer of one row by. */
export function masksOf(model: ModelSpec, name: string, seed: number, draw: number): number[][] {
  const { trunk } = networkNamed(model, name);
  if (trunk.kind !== 'mlp' || trunk.dropout === undefined) return [];
  const rate = trunk.dropout;
  const numUnits = trunk.hiddenSizes.reduce((sum, size) => sum + size, 0);
  const units = new Int32Array(numUnits);
  const dropped = units.subarray(0, dropUnits(seed, draw, rate, numUnits, units));
  let first = 0;
  return trunk.hiddenSizes.map((size) => {
    const from = first;
    first += size;
    return Array.from({ length: size }, (_, j) => (dropped.includes(from + j) ? 0 : 1 / (1 - rate)));
  });
}

function normalizeRow(y: readonly number[], gain: Float64Array, shift: Float64Array): number[] {
  const mean = y.reduce((sum, value) => sum + value, 0) / y.length;
  const variance = y.reduce((sum, value) => sum + (value - mean) ** 2, 0) / y.length;
  return y.map((value, j) => ((value - mean) / Math.sqrt(variance + 1e-5)) * gain[j] + shift[j]);
}

/** Parameters with the noisy layers of one network drawn: mu + sigma f(e) f(e'), `factors` f(e), f(e') of layer after layer. */
export function withNoise(
  model: ModelSpec,
  parameters: Float64Array,
  name: string,
  factors: readonly number[],
): Float64Array {
  const { trunk } = networkNamed(model, name);
  const { entries } = modelLayout(model);
  const drawn = parameters.slice();
  const offsetOf = (tensor: string) => entries.find((entry) => entry.name === tensor)?.offset as number;
  let at = 0;
  for (const layer of [...trunk.hiddenSizes.map((_, k) => `${k}`), 'head']) {
    const kernel = entries.find((entry) => entry.name === `${name}/${layer}/kernel`);
    const [inputs, outputs] = kernel?.shape ?? [0, 0];
    const rows = factors.slice(at, at + inputs);
    const columns = factors.slice(at + inputs, at + inputs + outputs);
    at += inputs + outputs;
    for (let j = 0; j < outputs; j++) {
      drawn[offsetOf(`${name}/${layer}/bias`) + j] +=
        parameters[offsetOf(`noise/${name}/${layer}/bias`) + j] * columns[j];
      for (let i = 0; i < inputs; i++)
        drawn[offsetOf(`${name}/${layer}/kernel`) + i * outputs + j] +=
          parameters[offsetOf(`noise/${name}/${layer}/kernel`) + i * outputs + j] * rows[i] * columns[j];
    }
  }
  return drawn;
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
