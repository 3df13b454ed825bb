/** Dense networks for tests: as the kernels run them, and as a slow reference in float64. */
import { createArena, createArenaPlanner } from '../../src/memory/arena.ts';
import type { Activation } from '../../src/policy/policy-spec.ts';
import type { Stream } from '../../src/random/streams.ts';
import { instantiateKernels, type KernelModule } from '../../src/simd/kernels.ts';
import {
  BLOCK_ROWS,
  type Block,
  type DenseLayer,
  type LayerRecord,
  needsInput,
  RECORD_BYTES,
  scratchStride,
  writeProgram,
} from '../../src/simd/layer-program.ts';

export interface DenseShape {
  /** Input, hidden layers, output. */
  readonly widths: readonly number[];
  /** Of the hidden layers; the last one is a head. */
  readonly activation: Activation;
  /** Hidden layers are normalised. */
  readonly normalized?: boolean;
  /** Hidden layers have dropout, by the network's `masks`. */
  readonly masked?: boolean;
}

/** Layers in the order kernel, bias, gain, shift, one after another. */
export function denseLayers({ widths, activation, normalized = false }: DenseShape) {
  let size = 0;
  const take = (count: number) => {
    const offset = 4 * size;
    size += count;
    return offset;
  };
  const layers = widths.slice(1).map((outputs, k): DenseLayer => {
    const inputs = widths[k];
    const isHead = k === widths.length - 2;
    const kernelOffset = take(inputs * outputs);
    const biasOffset = take(outputs);
    const isNormalized = normalized && !isHead;
    return {
      ...(isNormalized ? { normalization: { gainOffset: take(outputs), shiftOffset: take(outputs) } } : {}),
      name: `layer/${k}`,
      inputs,
      outputs,
      activation: isHead ? 'identity' : activation,
      kernelOffset,
      biasOffset,
    };
  });
  return { layers, parameterCount: size };
}

/** The network in an arena of its own, with the gradient of its input. */
export function openDenseNetwork(module: KernelModule, shape: DenseShape) {
  const { layers, parameterCount } = denseLayers(shape);
  const [numInputs, numOutputs] = [shape.widths[0], shape.widths[shape.widths.length - 1]];
  const planner = createArenaPlanner();
  const take = (bytes: number) => planner.reserve(bytes + 64).offset;
  const block = (columns: number): Block => {
    const stride = scratchStride(columns);
    return { address: take(BLOCK_ROWS * stride), stride };
  };
  const [parameters, slab] = [take(4 * parameterCount), take(4 * parameterCount)];
  const [input, gradInput] = [block(numInputs), block(numInputs)];
  const output = { address: take(4 * BLOCK_ROWS * numOutputs), stride: 4 * numOutputs };
  const gradOutput = { address: take(4 * BLOCK_ROWS * numOutputs), stride: 4 * numOutputs };
  const records: LayerRecord[] = [];
  const maskBlocks: Block[] = [];
  let [blockIn, gradIn, inputPre] = [input, gradInput, 0];
  layers.forEach((layer, k) => {
    const isDense = k === layers.length - 1;
    const blockOut = isDense ? output : block(layer.outputs);
    const gradOut = isDense ? gradOutput : block(layer.outputs);
    const pre = needsInput(layer.activation) ? take(BLOCK_ROWS * blockOut.stride) : 0;
    const stride = scratchStride(layer.inputs);
    const backward = {
      gradOutput: gradOut,
      gradInput: gradIn,
      transposed: { address: take(layer.outputs * stride), stride },
      accumulates: false,
      inputActivation: layers[k - 1]?.activation ?? 'identity',
      inputPre,
    };
    const normalization =
      layer.normalization === undefined
        ? {}
        : {
            normalization: {
              rows: take(BLOCK_ROWS * blockOut.stride),
              inverseStd: take(4 * BLOCK_ROWS),
              gains: take(4 * layer.outputs),
            },
          };
    const mask = shape.masked === true && !isDense ? take(BLOCK_ROWS * blockOut.stride) : 0;
    if (mask !== 0) maskBlocks.push({ address: mask, stride: blockOut.stride });
    records.push({ layer, input: blockIn, output: blockOut, isDense, pre, mask, backward, ...normalization });
    [blockIn, gradIn, inputPre] = [blockOut, gradOut, pre];
  });
  const address = take(RECORD_BYTES * records.length);
  const arena = createArena(planner);
  writeProgram(arena.buffer, address, records);
  const kernels = instantiateKernels(module, arena.memory);
  const floats = (start: number, length: number) => new Float32Array(arena.buffer, start, length);
  const count = records.length;
  return {
    layers,
    /** Everything there is, scratch included. */
    words: new Uint32Array(arena.buffer),
    parameters: floats(parameters, parameterCount),
    gradients: floats(slab, parameterCount),
    /** One row of a block with padded rows. */
    inputRow: (r: number) => floats(input.address + r * input.stride, numInputs),
    gradInputRow: (r: number) => floats(gradInput.address + r * gradInput.stride, numInputs),
    /** What hidden layer after hidden layer is multiplied by in row r; empty without dropout. */
    masksOf: (r: number) =>
      maskBlocks.map(({ address, stride }, k) => floats(address + r * stride, layers[k].outputs)),
    outputs: floats(output.address, BLOCK_ROWS * numOutputs), // [64, outputs] f32
    gradOutputs: floats(gradOutput.address, BLOCK_ROWS * numOutputs), // [64, outputs] f32
    forward(rows: number) {
      kernels.transposeKernels(address, count, parameters);
      kernels.forward(address, count, parameters, rows);
    },
    backward(rows: number, { weights, accumulate = false }: { weights: boolean; accumulate?: boolean }) {
      kernels.backward(address, count, weights ? slab : 0, rows, accumulate ? 1 : 0);
    },
  };
}

export type OpenNetwork = ReturnType<typeof openDenseNetwork>;

/** Weights of unit variance by fan-in, and what flows into both ends. */
export function fillNetwork(network: OpenNetwork, stream: Stream): void {
  const { parameters, layers } = network;
  for (let k = 0; k < parameters.length; k++) parameters[k] = 0.5 * stream.normal();
  for (const { kernelOffset, inputs, outputs } of layers) {
    for (let k = 0; k < inputs * outputs; k++)
      parameters[kernelOffset / 4 + k] = stream.normal() / Math.sqrt(inputs);
  }
  for (let r = 0; r < BLOCK_ROWS; r++) {
    const row = network.inputRow(r);
    for (let k = 0; k < row.length; k++) row[k] = stream.normal();
    for (const mask of network.masksOf(r))
      for (let j = 0; j < mask.length; j++) mask[j] = stream.uniform() < 0.3 ? 0 : 1 / 0.7;
  }
  for (let k = 0; k < network.gradOutputs.length; k++) network.gradOutputs[k] = stream.normal();
}

const ACTIVATE: Readonly<Record<Activation, (x: number) => number>> = {
  identity: (x) => x,
  tanh: Math.tanh,
  relu: (x) => Math.max(0, x),
  elu: (x) => (x > 0 ? x : Math.expm1(x)),
  silu: (x) => x / (1 + Math.exp(-x)),
  gelu: (x) => 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3))),
  'leaky-relu': (x) => (x > 0 ? x : 0.01 * x),
  sigmoid: (x) => 1 / (1 + Math.exp(-x)),
};

/** (z - mean) / sqrt(variance + 1e-5) gain + shift */
function normalize(
  z: readonly number[],
  gain: (j: number) => number,
  shift: (j: number) => number,
): number[] {
  const mean = z.reduce((sum, x) => sum + x, 0) / z.length;
  const variance = z.reduce((sum, x) => sum + (x - mean) ** 2, 0) / z.length;
  return z.map((x, j) => ((x - mean) / Math.sqrt(variance + 1e-5)) * gain(j) + shift(j));
}

/** One row's outputs, in float64. */
export function referenceOutputs(
  layers: readonly DenseLayer[],
  parameters: ArrayLike<number>,
  input: ArrayLike<number>,
  masks: readonly ArrayLike<number>[] = [],
): number[] {
  let x = Array.from(input);
  for (const [
    layer,
    { inputs, outputs, kernelOffset, biasOffset, activation, normalization },
  ] of layers.entries()) {
    let z = Array.from({ length: outputs }, (_, j) => {
      let sum = parameters[biasOffset / 4 + j];
      for (let i = 0; i < inputs; i++) sum += x[i] * parameters[kernelOffset / 4 + i * outputs + j];
      return sum * (masks[layer]?.[j] ?? 1);
    });
    if (normalization !== undefined) {
      const { gainOffset, shiftOffset } = normalization;
      z = normalize(
        z,
        (j) => parameters[gainOffset / 4 + j],
        (j) => parameters[shiftOffset / 4 + j],
      );
    }
    x = z.map(ACTIVATE[activation]);
  }
  return x;
}

/** Slope of `f` along `values[k]`, by central differences in float64. */
export function slope(values: Float64Array, k: number, f: () => number): number {
  const step = 1e-5;
  const kept = values[k];
  values[k] = kept + step;
  const above = f();
  values[k] = kept - step;
  const below = f();
  values[k] = kept;
  return (above - below) / (2 * step);
}
