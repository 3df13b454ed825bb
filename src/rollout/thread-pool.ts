/** The threads of rollout workers, started ahead of the workers that will live in them. */
import { Piscina } from 'piscina';
import { checkOpenFiles } from '../files/open-files.ts';
import { loaderArgv, threadEntryUrl } from '../threads/exec-argv.ts';
import { endThreads, noteBirth, type ThreadPoolOptions, takeIdleThreads } from './idle-threads.ts';

let warm: { readonly pool: Piscina; readonly options: ThreadPoolOptions } | null = null;

/**
 * Starts threads that the next {@link takeThreads} with the same options gets: a thread needs as long to start as the rest of a run
 * needs to be put together. Those that an earlier run left do as well. Call {@link dropWarmThreads} when that was done, or failed. Cost: 1-2 ms a thread. Thread: main.
 *
 * @throws ConfigError `CONFIG_OPEN_FILES` where the system does not let them live.
 */
export function warmThreads(options: ThreadPoolOptions): void {
  if (options.numThreads === 0 || (warm !== null && isSame(warm.options, options))) return;
  void dropWarmThreads();
  warm = { pool: takeIdleThreads(options) ?? createPool(options), options };
}

/** Ends the threads that nobody took. */
export async function dropWarmThreads(): Promise<void> {
  const pool = warm?.pool;
  warm = null;
  if (pool !== undefined) await endThreads(pool);
}

/** A pool that is the caller's: the one that was warmed, or that an earlier run left, or else a new one. */
export function takeThreads(options: ThreadPoolOptions): Piscina {
  const isWarm = warm !== null && isSame(warm.options, options);
  const pool = isWarm && warm !== null ? warm.pool : (takeIdleThreads(options) ?? createPool(options));
  if (isWarm) warm = null;
  return pool;
}

function isSame(first: ThreadPoolOptions, second: ThreadPoolOptions): boolean {
  return first.numThreads === second.numThreads && first.memoryMb === second.memoryMb;
}

function createPool({ numThreads, memoryMb }: ThreadPoolOptions): Piscina {
  checkOpenFiles(numThreads + 1);
  const pool = new Piscina({
    filename: threadEntryUrl('./worker', import.meta.url),
    name: 'runWorker',
    execArgv: loaderArgv(),
    minThreads: numThreads, // so that they start now
    maxThreads: numThreads + 1, // and one that stands by
    concurrentTasksPerWorker: 1,
    ...(memoryMb === null ? {} : { resourceLimits: { maxOldGenerationSizeMb: memoryMb } }),
  });
  // A thread that dies rejects its task, which is where we hear of it. This is for errors that an environment left behind
  // for later (a rejected promise) and that come up when its thread has nothing more to do for us.
  pool.on('error', () => undefined);
  noteBirth(pool);
  return pool;
}
