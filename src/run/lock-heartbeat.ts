/** A sign of life that every machine and container sees that sees the folder: the lock's time of change moves on. */
import { Worker } from 'node:worker_threads';

export const BEAT_MS = 2000;
/** A run that is over by then needs no thread for it. */
const FIRST_BEAT_MS = 1000;

/** In JavaScript, so that it needs no loader. The descriptor is the process's, so a lock that was taken away is not touched by name. */
const BEAT = `
const { workerData } = require('node:worker_threads');
const { futimesSync } = require('node:fs');
const beat = () => {
  try {
    const now = Date.now() / 1000;
    futimesSync(workerData.descriptor, now, now);
  } catch {}
};
beat();
setInterval(beat, workerData.intervalMs);
`;

/**
 * Touches an open file every two seconds, from a thread of its own: the main thread may be busy for longer than others wait. Keeps no
 * process alive.
 *
 * @returns ends it; resolves when the descriptor may be closed.
 */
export function startHeartbeat(descriptor: number): () => Promise<void> {
  let thread: Worker | null = null;
  const timer = setTimeout(() => {
    thread = new Worker(BEAT, {
      eval: true,
      execArgv: [],
      workerData: { descriptor, intervalMs: BEAT_MS },
      resourceLimits: { maxOldGenerationSizeMb: 16, maxYoungGenerationSizeMb: 4 },
    });
    // Without it the lock looks dead to other machines after a while, and whoever takes it over ends this run.
    thread.on('error', () => undefined);
    thread.unref();
  }, FIRST_BEAT_MS);
  timer.unref();
  return async () => {
    clearTimeout(timer);
    await thread?.terminate();
  };
}
