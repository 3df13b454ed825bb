/** A user's code that ends the process, or never lets it go on, while it is loaded: said by name instead of an exit code 0. */
import { writeSync } from 'node:fs';
import { isMainThread } from 'node:worker_threads';

/** What is being loaded now; a list, since loading one may begin while another is under way. */
const underWay: string[] = [];

/**
 * Runs `work`, which hands control to somebody's code. Where the process ends meanwhile (`process.exit` in it, or nothing left that could
 * wake its `await`), stderr says so by name and the exit code is not 0.
 *
 * @param what for the message: `the module file:///x/env.ts`.
 */
export function whileLoading<T>(what: string, work: () => T): T {
  if (!isMainThread) return work(); // the end of a worker thread is noticed by whoever waits for it
  if (underWay.length === 0) process.on('exit', reportEnd);
  underWay.push(what);
  const done = () => {
    underWay.splice(underWay.indexOf(what), 1);
    if (underWay.length === 0) process.off('exit', reportEnd);
  };
  let result: T;
  try {
    result = work();
  } catch (error) {
    done();
    throw error;
  }
  if (result instanceof Promise) return result.finally(done) as T;
  done();
  return result;
}

function reportEnd(code: number): void {
  const [what] = underWay.slice(-1);
  const how = 'it calls process.exit(), or waits at its top level for what never comes';
  writeSync(2, `error: The process ended while ${what} was being loaded: ${how}.\n`);
  if (code === 0 || code === 13) process.exitCode = 1; // 13: Node's own, for an await that nothing can wake
}

/**
 * `promise`, or an error when it takes longer than `seconds`. A loop that never ends cannot be interrupted from within its thread.
 *
 * @throws Error
 */
export async function withinSeconds<T>(promise: Promise<T>, seconds: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const message = `it did not finish loading within ${seconds} s: it waits at its top level for something that does not come`;
    timer = setTimeout(() => reject(new Error(message)), 1000 * seconds);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
