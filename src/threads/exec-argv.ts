/** How to start a thread that runs our modules, from source (tsx, vitest) and from compiled code alike. */

const IS_SOURCE = import.meta.url.endsWith('.ts');

/** A thread's entry: `<path>.ts` from source, `.js` when compiled; relative to the module whose URL is `base`. */
export function threadEntryUrl(path: string, base: string): string {
  return new URL(`${path}${IS_SOURCE ? '.ts' : '.js'}`, base).href;
}

/**
 * `execArgv` for a thread, or a process, that runs our modules. From source it must register a loader of TypeScript itself: Node 20 does not know the
 * extension, does not hand the main thread's loader on, and `--import tsx` registers in main threads alone. tsx is left to a user's files: to load it takes
 * a thread longer than to load all of ours.
 */
export function loaderArgv(): string[] {
  if (!IS_SOURCE) return [];
  return ['--import', besideSource('../../.ci/own-typescript.mjs')];
}

/** Not written out, or a bundler would look for the file where there is no clone. */
const besideSource = (path: string): string => new URL(path, import.meta.url).href;
