/**
 * Kernels compiled to machine code for vectors of 8 or 16 floats, or for NEON's of 4 (`native/`, C), in place of those of WebAssembly,
 * whose vectors have 4. A number is computed by the same steps in the same order, so the bits are the same; only time differs.
 *
 * Products, activations, recurrent cells, transposing, reduction, Adam, target blends, the quantile loss, SAC's sampling and gradients of categoricals are native; gathers, parameter noise and other sampling stay in WebAssembly. No import
 * of a Node module here: the browser bundles this file, and never gets a path.
 */
import type { WasmMemory } from '../memory/web-assembly.ts';
import type { Kernels } from './kernel-exports.ts';
import { type CategoricalCalls, createNativeCategorical } from './native-categorical.ts';

/** The addon's name, beside the WebAssembly modules; there is none for machines that `native-targets.ts` does not list. */
export const nativeFile = (platform: string, arch: string): string => `kernels-${platform}-${arch}.node`;

/** Where the addon is and what it uses here; plain data, can be posted to worker threads. */
export interface NativeKernels {
  readonly path: string;
  /** Floats in a vector: 16 (AVX-512), 8 (AVX2) or 4 (NEON). */
  readonly numLanes: 4 | 8 | 16;
}

/** Each takes the address of the memory, then what its namesake takes; Adam's numbers as the address of nine f64. */
type NativeBuild = CategoricalCalls & {
  forward(base: number, layers: number, count: number, parameters: number, rows: number): void;
  backward(
    base: number,
    layers: number,
    count: number,
    gradients: number,
    rows: number,
    accumulate: number,
  ): void;
  transposeKernels(base: number, layers: number, count: number, parameters: number): void;
  recurrentForward(base: number, cell: number, parameters: number, steps: number, rows: number): void;
  recurrentBackward(
    base: number,
    cell: number,
    gradients: number,
    steps: number,
    rows: number,
    accumulate: number,
  ): void;
  reduceSlice(base: number, slab: number, slabBytes: number, numSlabs: number, bytes: number): number;
  adamSlice(
    base: number,
    p: number,
    g: number,
    m: number,
    v: number,
    bytes: number,
    numbersAddress: number,
  ): void;
  blendSlice(base: number, target: number, source: number, bytes: number, tau: number): void;
  quantileHuber(
    base: number,
    predicted: number,
    predictedStride: number,
    targets: number,
    targetsStride: number,
    rows: number,
    size: number,
    numTargets: number,
    scale: number,
    gradient: number,
    gradientStride: number,
    losses: number,
  ): void;
  sampleSquashed(
    base: number,
    parameters: number,
    noise: number,
    rows: number,
    size: number,
    actions: number,
    logProbs: number,
    deviations: number,
    slopes: number,
    scratch: number,
  ): void;
  peak(base: number, turns: number): number;
};

/** Multiply-adds round once in `fused`, as in the relaxed build of the WebAssembly kernels. */
interface NativeWidth {
  readonly fused: NativeBuild;
  readonly strict: NativeBuild;
}

interface NativeModule {
  /** The most that this processor has; 0 for an x86-64 without AVX2 and FMA. */
  readonly numLanes: 0 | 4 | 8 | 16;
  addressOf(array: ArrayBufferView): number;
  /** Asks the system to back `bytes` from `address` on with large pages; before they are touched. Linux alone; elsewhere nothing happens. */
  useLargePages(address: number, bytes: number): void;
  readonly lanes4?: NativeWidth;
  readonly lanes8?: NativeWidth;
  readonly lanes16?: NativeWidth;
}

interface AddonLoader {
  dlopen(module: { exports: unknown }, path: string): void;
}

/** Loads the addon into this thread. @throws what the dynamic loader says. */
export function openNative(path: string): NativeModule {
  const module = { exports: {} };
  (globalThis as unknown as { process: AddonLoader }).process.dlopen(module, path);
  return module.exports as NativeModule;
}

/** Words of the policy's descriptor that acting reads here; kernel-policy.ts has the table. */
const Descriptor = {
  NUM_ROWS: 0,
  WEIGHTS: 1,
  VALUES: 11,
  ACTOR: 21,
  NUM_ACTOR_LAYERS: 22,
  CRITIC: 23,
  NUM_CRITIC_LAYERS: 24,
  VALUES_ONLY: 37,
  NUM_VALUES_ONLY_LAYERS: 38,
  BLOCK_ROWS: 40,
} as const;

/** What assembly/policy.ts does, around the native forward pass. */
function nativeActing(kernels: Kernels, forward: Kernels['forward'], words: Uint32Array) {
  return {
    act(state: number) {
      const at = state >>> 2;
      const numRows = words[at + Descriptor.NUM_ROWS];
      const blockRows = words[at + Descriptor.BLOCK_ROWS];
      const weights = words[at + Descriptor.WEIGHTS];
      kernels.prepareDistribution(state);
      for (let first = 0; first < numRows; first += blockRows) {
        const rows = Math.min(blockRows, numRows - first);
        kernels.packObservations(state, first, rows);
        forward(words[at + Descriptor.ACTOR], words[at + Descriptor.NUM_ACTOR_LAYERS], weights, rows);
        kernels.sampleBlock(state, first, rows);
        if (words[at + Descriptor.VALUES] === 0) continue;
        forward(words[at + Descriptor.CRITIC], words[at + Descriptor.NUM_CRITIC_LAYERS], weights, rows);
        kernels.writeValues(state, first, rows);
      }
    },
    values(state: number) {
      const at = state >>> 2;
      const numRows = words[at + Descriptor.NUM_ROWS];
      const blockRows = words[at + Descriptor.BLOCK_ROWS];
      const program = words[at + Descriptor.VALUES_ONLY];
      for (let first = 0; first < numRows; first += blockRows) {
        const rows = Math.min(blockRows, numRows - first);
        kernels.packObservations(state, first, rows);
        const numLayers = words[at + Descriptor.NUM_VALUES_ONLY_LAYERS];
        forward(program, numLayers, words[at + Descriptor.WEIGHTS], rows);
        kernels.writeValues(state, first, rows);
      }
    },
  };
}

/** Adam's scalars go through memory: as arguments of an addon each would be an object on the heap. */
function nativeAdam(module: NativeModule, calls: NativeBuild, base: number): Kernels['adamSlice'] {
  const numbers = new Float64Array(new ArrayBuffer(72)); // f64 [9], this thread's alone
  const address = module.addressOf(numbers);
  return function adamSlice(
    p,
    g,
    m,
    v,
    bytes,
    scale,
    beta1,
    rest1,
    beta2,
    rest2,
    stepSize,
    rootCorrection,
    epsilon,
    keep,
  ) {
    numbers[0] = scale;
    numbers[1] = beta1;
    numbers[2] = rest1;
    numbers[3] = beta2;
    numbers[4] = rest2;
    numbers[5] = stepSize;
    numbers[6] = rootCorrection;
    numbers[7] = epsilon;
    numbers[8] = keep;
    calls.adamSlice(base, p, g, m, v, bytes, address);
  };
}

/**
 * `kernels` with the native ones in their place. Addresses are offsets into `memory`, which must not be able to grow: it could
 * move. Nothing is checked: a wrong address ends the process instead of the call.
 *
 * @throws what the dynamic loader says; nothing in the process that made `native`, since it loaded the addon to make it.
 */
export function withNativeKernels(
  kernels: Kernels,
  native: NativeKernels,
  build: 'relaxed' | 'strict',
  memory: WasmMemory,
): Kernels {
  const module = openNative(native.path);
  const width = module[`lanes${native.numLanes}`] as NativeWidth;
  const calls = build === 'relaxed' ? width.fused : width.strict;
  const words = new Uint32Array(memory.buffer); // keeps the memory alive as long as these kernels are
  const base = module.addressOf(new Uint8Array(memory.buffer));
  module.useLargePages(base, memory.buffer.byteLength);
  const forward: Kernels['forward'] = (layers, count, parameters, rows) =>
    calls.forward(base, layers, count, parameters, rows);
  return {
    ...kernels,
    ...nativeActing(kernels, forward, words),
    forward,
    backward: (layers, count, gradients, rows, accumulate) =>
      calls.backward(base, layers, count, gradients, rows, accumulate),
    transposeKernels: (layers, count, parameters) => calls.transposeKernels(base, layers, count, parameters),
    recurrentForward: (cell, parameters, steps, rows) =>
      calls.recurrentForward(base, cell, parameters, steps, rows),
    recurrentBackward: (cell, gradients, steps, rows, accumulate) =>
      calls.recurrentBackward(base, cell, gradients, steps, rows, accumulate),
    reduceSlice: (slab, slabBytes, numSlabs, bytes) =>
      calls.reduceSlice(base, slab, slabBytes, numSlabs, bytes),
    adamSlice: nativeAdam(module, calls, base),
    blendSlice: (target, source, bytes, tau) => calls.blendSlice(base, target, source, bytes, tau),
    quantileHuber: (...of) => calls.quantileHuber(base, ...of),
    sampleSquashed: (...of) => calls.sampleSquashed(base, ...of),
    openCategorical: createNativeCategorical(module.addressOf, calls),
    peak: (turns) => calls.peak(base, turns),
  };
}
