/** The peak kernel as variants to time: in one thread, and in two at the same time. */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { createArena, createArenaPlanner } from '../src/memory/arena.ts';
import { instantiateKernels, type KernelModule } from '../src/simd/kernels.ts';
import { loaderArgv } from '../src/threads/exec-argv.ts';
import type { HeldVariant } from './harness.ts';

const PEAK_TURNS = 20_000;
const NUM_REPEATS = 10; // of both threads: what it takes to wake the second one is little beside them

/** Operations of one unit. */
export const peakFlops = ({ native }: KernelModule) => 24 * (native?.numLanes ?? 4) * PEAK_TURNS;

const NAMES = { 4: 'NEON', 8: 'AVX2', 16: 'AVX-512' } as const;

/** Which kernels these are, in a table. */
export function labelOf({ native, build }: KernelModule): string {
  if (native === null) return build;
  return `${NAMES[native.numLanes]}${build === 'strict' ? ' strict' : ''}`;
}

export function peakVariant(kernels: KernelModule): HeldVariant {
  const { peak } = instantiateKernels(kernels, createArena(createArenaPlanner()).memory);
  const run = () => void peak(PEAK_TURNS);
  return { variant: { name: `peak ${labelOf(kernels)}`, units: 1, run }, stop: async () => {} };
}

/** What two threads can do at most: two virtual processors may share a core, or a neighbour's. */
export async function pairedPeakVariant(kernels: KernelModule): Promise<HeldVariant> {
  const { memory } = createArena(createArenaPlanner());
  const { peak } = instantiateKernels(kernels, memory);
  const words = new Int32Array(new SharedArrayBuffer(8));
  const worker = new Worker(new URL('./peak-helper.ts', import.meta.url), {
    workerData: { kernels, memory, turns: PEAK_TURNS, repeats: NUM_REPEATS, words },
    execArgv: loaderArgv(),
  });
  await once(worker, 'message');
  const run = () => {
    const sample = Atomics.add(words, 0, 1) + 1;
    Atomics.notify(words, 0);
    for (let k = 0; k < NUM_REPEATS; k++) peak(PEAK_TURNS);
    while (Atomics.load(words, 1) < sample); // both are done when the later one is
  };
  const variant = { name: `peak ${labelOf(kernels)}, 2 threads`, units: 2 * NUM_REPEATS, run };
  return { variant, stop: () => worker.terminate() };
}
