/** A helper thread for timing updates: helps whenever its word says so, as a rollout worker does. */
import { parentPort, workerData } from 'node:worker_threads';
import { createSimdHelper } from '../src/learner/simd/participate.ts';

const { start, kernels, memory, threadIndex } = workerData;
const words: Int32Array<SharedArrayBuffer> = workerData.words; // i32: [updates begun, helpers that left]
const helper = await createSimdHelper(start, kernels, { memory, buffer: memory.buffer });
parentPort?.postMessage('ready');
let seen = 0;
for (;;) {
  Atomics.wait(words, 0, seen);
  seen = Atomics.load(words, 0);
  helper.participate(threadIndex);
  Atomics.add(words, 1, 1);
}
