/** Threads that do nothing but a job over the shared arena: helpers of a learner that need no rollout worker. */
import { Piscina } from 'piscina';
import type { Arena } from '../memory/arena.ts';
import type { KernelModule } from '../simd/kernels.ts';
import { loaderArgv, threadEntryUrl } from './exec-argv.ts';
import type { JobSource, JobTask } from './job-worker.ts';

export interface JobThreads {
  readonly numHelpers: number;
  /** Sends every thread to the job, once; returns at once. A thread that is late or never comes is no error. */
  start(): void;
  /** Resolves when no thread is inside the job any more; the job has to be over. Ends the threads. */
  finish(): Promise<void>;
  /** false once the thread has ended; may be as old as the last turn of the event loop. */
  isAlive(threadIndex: number): boolean;
  /** Why a thread ended before its time; null while none did. */
  readonly failure: Error | null;
}

/**
 * Starts threads for a job; they load their modules at once, so that they are ready when `start` is called.
 *
 * Thread: main. Cost: 1-2 ms a thread here, tens of milliseconds in the thread itself.
 */
export function createJobThreads(
  numHelpers: number,
  source: JobSource,
  kernels: KernelModule,
  arena: Arena,
): JobThreads {
  const pool = new Piscina({
    filename: threadEntryUrl('./job-worker', import.meta.url),
    name: 'runJob',
    execArgv: loaderArgv(),
    minThreads: numHelpers,
    maxThreads: numHelpers,
    concurrentTasksPerWorker: 1,
  });
  pool.on('error', () => undefined); // a thread that dies rejects its task, which is where we hear of it
  const hasEnded = new Array<boolean>(numHelpers).fill(false);
  let tasks: readonly Promise<void>[] = [];
  let failure: Error | null = null;
  const run = async (task: JobTask): Promise<void> => {
    try {
      await pool.run(task);
    } catch (error) {
      failure ??= error instanceof Error ? error : new Error(String(error));
    }
    hasEnded[task.threadIndex - 1] = true;
  };
  return {
    numHelpers,
    start() {
      tasks = hasEnded.map((_, k) => run({ source, kernels, memory: arena.memory, threadIndex: k + 1 }));
    },
    async finish() {
      await Promise.all(tasks);
      await pool.destroy();
    },
    isAlive: (threadIndex) => !hasEnded[threadIndex - 1],
    get failure() {
      return failure;
    },
  };
}
