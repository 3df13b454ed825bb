/** The phases of a critic's update, as one thread of several runs its share of them. */
import type { Kernels } from '../src/simd/kernel-exports.ts';
import { BLOCK_ROWS } from '../src/simd/layer-program.ts';
import type { CriticLayout } from './critic-network.ts';

export const PHASES = [
  'forward',
  'backward with weights',
  'backward of inputs',
  'transposing',
  'reduce and Adam',
  'blend',
  'update',
] as const;
export type Phase = (typeof PHASES)[number];

/** Thread `thread` of `numThreads`: blocks thread, thread + numThreads, ...; as much of the parameters. */
export function createPhases(
  kernels: Kernels,
  layout: CriticLayout,
  {
    rows,
    thread,
    numThreads,
  }: { readonly rows: number; readonly thread: number; readonly numThreads: number },
): Readonly<Record<Phase, () => void>> {
  const { learning, passing, numRecords } = layout.threads[thread];
  const slab = layout.slabs + thread * layout.slabBytes;
  const numBlocks = Math.ceil(rows / BLOCK_ROWS);
  const mine = Array.from({ length: numBlocks }, (_, k) => k).filter((k) => k % numThreads === thread);
  const blocks = mine.map((k) => Math.min(BLOCK_ROWS, rows - k * BLOCK_ROWS));
  const lines = Math.ceil(layout.parameterCount / 16);
  const first = 64 * Math.floor((lines * thread) / numThreads);
  const bytes = 64 * Math.floor((lines * (thread + 1)) / numThreads) - first;
  const forward = (numRows: number) => kernels.forward(learning, numRecords, layout.parameters, numRows);
  const backward = (numRows: number, k: number) =>
    kernels.backward(learning, numRecords, slab, numRows, k === 0 ? 0 : 1);
  const passBack = (numRows: number) => kernels.backward(passing, numRecords, 0, numRows, 0);
  const transposing = () => kernels.transposeKernels(learning, numRecords, layout.parameters);
  const adam = () => {
    kernels.reduceSlice(layout.slabs + first, layout.slabBytes, numThreads, bytes);
    const [p, g, m, v] = [layout.parameters, layout.slabs, layout.m, layout.v].map((at) => at + first);
    kernels.adamSlice(p, g, m, v, bytes, 1, 0.9, 0.1, 0.999, 0.001, 3e-10, 1, 1e-8, 1);
  };
  const blend = () => kernels.blendSlice(layout.target + first, layout.parameters + first, bytes, 0.005);
  return {
    forward: () => blocks.forEach(forward),
    'backward with weights': () => blocks.forEach(backward),
    'backward of inputs': () => blocks.forEach(passBack),
    transposing,
    'reduce and Adam': adam,
    blend,
    update() {
      transposing();
      for (const [k, numRows] of blocks.entries()) {
        forward(numRows);
        backward(numRows, k);
      }
      adam();
      blend();
    },
  };
}
