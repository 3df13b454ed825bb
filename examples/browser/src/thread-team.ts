/** Web Workers that help the learner: the browser's counterpart of the borrowed rollout workers. */

import type { ThreadTeam } from '../../../src/learner/simd/thread-team.ts';
import { nextTurn } from '../../../src/threads/next-turn.ts';
import type { HelperStart } from './messages.ts';

/** Word 0 counts updates, and helpers sleep on it; word t is 1 while helper t takes part. */
const ROUND = 0;

export const teamBytes = (numThreads: number) => 4 * numThreads;

export function openTeamWords(buffer: ArrayBufferLike, address: number, numThreads: number): Int32Array {
  return new Int32Array(buffer, address, numThreads);
}

/** Starts the helpers and resolves when all are ready. A helper that is lost later costs speed and nothing else. */
export async function startTeam(starts: readonly HelperStart[]): Promise<ThreadTeam | null> {
  if (starts.length === 0) return null;
  const numThreads = 1 + starts.length;
  const words = openTeamWords(starts[0].memory.buffer, starts[0].teamAddress, numThreads);
  const alive = new Array<boolean>(numThreads).fill(true);
  await Promise.all(
    starts.map(
      (start) =>
        new Promise<void>((resolve, reject) => {
          const worker = new Worker(new URL('./helper-worker.ts', import.meta.url), { type: 'module' });
          worker.addEventListener('message', () => resolve());
          worker.addEventListener('error', (event) => {
            alive[start.threadIndex] = false;
            reject(new Error(`Helper thread ${start.threadIndex} failed: ${event.message}`));
          });
          worker.postMessage(start);
        }),
    ),
  );
  return {
    numHelpers: starts.length,
    start() {
      Atomics.add(words, ROUND, 1);
      Atomics.notify(words, ROUND);
    },
    async finish() {
      for (let t = 1; t < numThreads; t++) {
        while (alive[t] && Atomics.load(words, t) !== 0) await nextTurn();
      }
    },
    isAlive: (threadIndex) => alive[threadIndex],
  };
}

/** A helper's life: sleep until an update begins, take part, sleep again. Never returns: the page ends the thread. */
export function serveTeam(words: Int32Array, threadIndex: number, participate: () => void): never {
  for (let round = 0; ; ) {
    Atomics.wait(words, ROUND, round);
    round = Atomics.load(words, ROUND);
    Atomics.store(words, threadIndex, 1);
    participate();
    Atomics.store(words, threadIndex, 0);
  }
}
