/** Where a worker's entry lies and how to start it, from source (tsx, vitest) and from compiled code alike. */

const IS_SOURCE = import.meta.url.endsWith('.ts');

/** URL of the rollout worker's entry: `.ts` beside this file from source, `.js` when compiled. */
export function rolloutWorkerUrl(): string {
  return new URL(IS_SOURCE ? './worker.ts' : './worker.js', import.meta.url).href;
}

/**
 * `execArgv` for a worker thread. From source it must load tsx itself: under vitest the parent's loader is not
 * inherited, and Node 20 does not know the extension.
 */
export function workerExecArgv(): string[] {
  return IS_SOURCE ? ['--import', import.meta.resolve('tsx')] : [];
}
