/** A second thread for the phases of a critic's update: runs its share of one whenever its words say so. */
import { parentPort, workerData } from 'node:worker_threads';
import { instantiateKernels } from '../src/simd/kernels.ts';
import { createPhases, PHASES } from './critic-phases.ts';

const { kernels, memory, layout, rows, thread, numThreads } = workerData;
const words: Int32Array<SharedArrayBuffer> = workerData.words; // i32: [samples begun, samples done, phase, turns]
const phases = createPhases(instantiateKernels(kernels, memory), layout, { rows, thread, numThreads });
parentPort?.postMessage('ready');
let seen = 0;
for (;;) {
  Atomics.wait(words, 0, seen);
  seen = Atomics.load(words, 0);
  const run = phases[PHASES[words[2]]];
  for (let k = 0; k < words[3]; k++) run();
  Atomics.add(words, 1, 1);
}
