/** Where a worker's entry lies and how to start it, from source (tsx, vitest) and from compiled code alike. */

const IS_SOURCE = import.meta.url.endsWith('.ts');

/** URL of the rollout worker's entry: `.ts` beside this file from source, `.js` when compiled. */
export function rolloutWorkerUrl(): string {
  return new URL(IS_SOURCE ? './worker.ts' : './worker.js', import.meta.url).href;
}

/**
 * `execArgv` for a worker thread. From source the thread must register tsx's loader itself: Node 20 does not know the
 * extension, does not hand the main thread's loader on, and `--import tsx` registers in main threads alone.
 */
export function workerExecArgv(): string[] {
  if (!IS_SOURCE) return [];
  const api = JSON.stringify(import.meta.resolve('tsx/esm/api'));
  return [
    '--import',
    `data:text/javascript,${encodeURIComponent(`import { register } from ${api}; register();`)}`,
  ];
}
