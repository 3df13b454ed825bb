/** How to start a thread that runs our modules, from source (tsx, vitest) and from compiled code alike. */

const IS_SOURCE = import.meta.url.endsWith('.ts');

/** A thread's entry: `<path>.ts` from source, `.js` when compiled; relative to the module whose URL is `base`. */
export function threadEntryUrl(path: string, base: string): string {
  return new URL(`${path}${IS_SOURCE ? '.ts' : '.js'}`, base).href;
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
