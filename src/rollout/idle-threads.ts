/**
 * Threads of a run that is over, kept a moment for the next one: to start threads and to load their modules is most of what a second build in the
 * same process waits for. Kept are only threads in which nothing but modules of Operant's own ran that keep nothing ({@link leavesNothing}).
 */
import type { Piscina } from 'piscina';
import { keepsNothing } from '../env/env-source.ts';
import { isOwnAlgorithm } from '../machine/operant-version.ts';
import type { AnyWorkerPlan } from './messages.ts';

export interface ThreadPoolOptions {
  readonly numThreads: number;
  /** Heap limit of a thread, MiB; null = Node's own. */
  readonly memoryMb: number | null;
}

/** After a run's end; they do not keep the process alive meanwhile. */
const KEEP_MS = 5000;
const MAX_THREADS = 16;
/** A thread lets go of a run's memory at its next collection of garbage, which an idle one puts off: so many runs at most, */
const MAX_RUNS = 8;
/** of arenas no larger than this. */
const MAX_ARENA_BYTES = 16 * 2 ** 20;

let idle: {
  readonly pool: Piscina;
  readonly options: ThreadPoolOptions;
  readonly timer: NodeJS.Timeout;
} | null = null;
/** What threads were born into. */
const births = new WeakMap<Piscina, { readonly environment: string; numRuns: number }>();

/** Threads copy the variables of their process when they start. */
const environmentNow = () => JSON.stringify(process.env);

/** Called with every new pool. */
export function noteBirth(pool: Piscina): void {
  births.set(pool, { environment: environmentNow(), numRuns: 0 });
}

/** Whether a thread that ran a plan is afterwards what it was before: no code of a user's ran in it, and no large memory is held. */
export function leavesNothing(plan: AnyWorkerPlan): boolean {
  if ('agents' in plan || plan.memory.buffer.byteLength > MAX_ARENA_BYTES) return false;
  const { source, helper } = plan;
  return keepsNothing(source) && (helper === null || isOwnAlgorithm(helper.options.outputGradient.module));
}

/** Before the last tasks end: their threads stay. */
export function stayAfterTasks(pool: Piscina, { numThreads }: ThreadPoolOptions): void {
  Object.assign(pool.options, { minThreads: numThreads });
}

/**
 * From now on a thread lives as long as its task. With a minimum, the pool would start new ones when an aborted thread
 * exits, even after destroy() has resolved.
 */
export function endThreadsWithTasks(pool: Piscina): void {
  Object.assign(pool.options, { minThreads: 0 });
}

/** Ends all threads of a pool. */
export async function endThreads(pool: Piscina): Promise<void> {
  endThreadsWithTasks(pool);
  await pool.destroy();
}

/** Keeps threads that have nothing to do, in place of those that were kept; ends them where they are too many, or have served enough. */
export async function keepThreads(pool: Piscina, options: ThreadPoolOptions): Promise<void> {
  const birth = births.get(pool);
  const { numThreads } = options;
  const isWhole = pool.threads.length === numThreads && numThreads <= MAX_THREADS;
  if (birth === undefined || !isWhole || ++birth.numRuns >= MAX_RUNS) return endThreads(pool);
  const before = dropIdleThreads();
  idle = { pool, options, timer: setTimeout(() => void dropIdleThreads(), KEEP_MS).unref() };
  pool.once('workerDestroy', dropIdleThreads); // where one has died, the others go too
  await before;
}

/** Threads that were kept, where there are such as are wanted, born into the same variables. They are the caller's then. */
export function takeIdleThreads({ numThreads, memoryMb }: ThreadPoolOptions): Piscina | null {
  if (idle === null || idle.options.numThreads !== numThreads || idle.options.memoryMb !== memoryMb)
    return null;
  const { pool, timer } = idle;
  const isWhole = pool.threads.length === numThreads;
  if (!isWhole || births.get(pool)?.environment !== environmentNow()) return null;
  clearTimeout(timer);
  pool.off('workerDestroy', dropIdleThreads);
  idle = null;
  return pool;
}

/** Ends those that are kept. */
export async function dropIdleThreads(): Promise<void> {
  if (idle === null) return;
  const { pool, timer } = idle;
  idle = null;
  clearTimeout(timer);
  pool.off('workerDestroy', dropIdleThreads);
  await endThreads(pool);
}
