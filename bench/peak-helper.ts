/** A second thread for the peak of two: runs the peak kernel whenever its word says so. */
import { parentPort, workerData } from 'node:worker_threads';
import { instantiateKernels } from '../src/simd/kernels.ts';

const { kernels, memory, turns, repeats } = workerData;
const words: Int32Array<SharedArrayBuffer> = workerData.words; // i32: [samples begun, samples done]
const { peak } = instantiateKernels(kernels, memory);
parentPort?.postMessage('ready');
let seen = 0;
for (;;) {
  Atomics.wait(words, 0, seen);
  seen = Atomics.load(words, 0);
  for (let k = 0; k < repeats; k++) peak(turns);
  Atomics.add(words, 1, 1);
}
