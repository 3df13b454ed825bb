/** A critic of dense layers with relu and its optimizer's vectors, as the kernels run them: memory and programs. */
import type { ArenaPlanner } from '../src/memory/arena.ts';
import {
  BLOCK_ROWS,
  type Block,
  type DenseLayer,
  type LayerRecord,
  RECORD_BYTES,
  scratchStride,
  writeProgram,
} from '../src/simd/layer-program.ts';

/** What one thread needs; byte addresses. */
export interface CriticScratch {
  readonly input: Block;
  /** Without the gradient of the input, as a critic learns. */
  readonly learning: number;
  /** With it, as an actor's gradient passes through. */
  readonly passing: number;
  readonly numRecords: number;
}

/** Byte addresses of what threads share, and each thread's scratch; plain data. */
export interface CriticLayout {
  readonly widths: readonly number[];
  readonly parameterCount: number;
  readonly parameters: number; // f32 [parameterCount]
  readonly m: number; // f32 [parameterCount]
  readonly v: number; // f32 [parameterCount]
  readonly target: number; // f32 [parameterCount]
  /** One a thread. */
  readonly slabs: number; // f32 [numThreads, slabBytes / 4]
  readonly slabBytes: number;
  readonly threads: readonly CriticScratch[];
}

/** Operations of one row: forward, and backward with and without weights. */
export function criticFlops(widths: readonly number[]) {
  const products = widths.slice(1).map((outputs, k) => 2 * widths[k] * outputs);
  const forward = products.reduce((a, b) => a + b, 0);
  return { forward, backwardWeights: 2 * forward - products[0], backwardInputs: forward };
}

function layersOf(widths: readonly number[]) {
  let offset = 0;
  const take = (count: number) => {
    const start = offset;
    offset += 64 * Math.ceil(count / 16);
    return start;
  };
  const layers = widths.slice(1).map((outputs, k): DenseLayer => {
    const inputs = widths[k];
    const activation = k === widths.length - 2 ? 'identity' : 'relu';
    const kernelOffset = take(inputs * outputs);
    return { name: `${k}`, inputs, outputs, activation, kernelOffset, biasOffset: take(outputs) };
  });
  return { layers, parameterCount: offset / 4 };
}

function planScratch(layers: readonly DenseLayer[], take: (bytes: number) => number) {
  const block = (columns: number): Block => {
    const stride = scratchStride(columns);
    return { address: take(BLOCK_ROWS * stride + 64), stride };
  };
  const head = (): Block => {
    const { outputs } = layers[layers.length - 1];
    return { address: take(4 * BLOCK_ROWS * outputs + 64), stride: 4 * outputs };
  };
  const widest = Math.max(...layers.map(({ outputs }) => outputs));
  const gradients = [block(widest), block(widest)];
  const [input, gradInput, gradOutput] = [block(layers[0].inputs), block(layers[0].inputs), head()];
  const records: LayerRecord[] = [];
  let from = input;
  layers.forEach((layer, k) => {
    const isDense = k === layers.length - 1;
    const output = isDense ? head() : block(layer.outputs);
    const stride = scratchStride(layer.inputs);
    const backward = {
      gradOutput: isDense ? gradOutput : gradients[k % 2],
      gradInput: k === 0 ? gradInput : gradients[(k - 1) % 2],
      transposed: { address: take(layer.outputs * stride + 64), stride },
      accumulates: false,
      inputActivation: layers[k - 1]?.activation ?? 'identity',
      inputPre: 0,
    };
    records.push({ layer, input: from, output, isDense, pre: 0, backward });
    from = output;
  });
  const program = () => take(RECORD_BYTES * records.length);
  return { records, scratch: { input, learning: program(), passing: program(), numRecords: records.length } };
}

/** Reserves everything; `write` puts the programs into the arena once it exists. */
export function planCritic(planner: ArenaPlanner, widths: readonly number[], numThreads: number) {
  const { layers, parameterCount } = layersOf(widths);
  const take = (bytes: number) => planner.reserve(bytes).offset;
  const slabBytes = 4 * parameterCount + 64;
  const [parameters, m, v, target] = [slabBytes, slabBytes, slabBytes, slabBytes].map(take);
  const slabs = take(slabBytes * numThreads);
  const plans = Array.from({ length: numThreads }, () => planScratch(layers, take));
  const threads = plans.map(({ scratch }) => scratch);
  const layout: CriticLayout = {
    widths,
    parameterCount,
    parameters,
    m,
    v,
    target,
    slabs,
    slabBytes,
    threads,
  };
  const write = (buffer: ArrayBufferLike) => {
    for (const { records, scratch } of plans) {
      writeProgram(buffer, scratch.passing, records);
      const [first, ...rest] = records;
      const { backward } = first;
      const learning = { ...first, backward: backward && { ...backward, gradInput: null } };
      writeProgram(buffer, scratch.learning, [learning, ...rest]);
    }
  };
  return { layout, write };
}
