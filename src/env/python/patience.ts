/**
 * Reading from a pipe whose other end answers soon: it is looked at again and again for a while before the thread sleeps.
 *
 * To wake a core that sleeps costs 20 us on a good host and over 100 under some hypervisors, each way, and what wakes there runs in cold caches: more than
 * many a step takes. It costs so where cores have nothing to do, and there looking takes nobody's time. So looking ends by itself where it would:
 *
 * - a wait that is longer than the bound is followed by one without looking, then by 2, 4, ... 1024, halved by each answer that comes in time: a slow
 *   environment costs no core;
 * - the first 256 waits are slept, and every 256 waits it is asked how long this thread has stood in line for a core (0 to 28 us a wait on an idle machine of two cores, where the two sides take the same one
 *   now and then; over 100 on a busy one). Over 50 the next 256 waits are slept, and twice as many each time, up to 4096, until it has looked in peace. Linux
 *   alone tells; elsewhere every wait is slept.
 *
 * Python does the same while it waits for a command (host/patience.py). What is read comes through the pipe, whoever looks: nothing is lost, and no bit
 * changes.
 */
import { readFileSync, readSync } from 'node:fs';

/** Waits after which the machine is looked at. */
const WINDOW = 256;
const MAX_SKIPS = 1024;
/** In line for a core, a wait; in microseconds. */
const CROWDED_US = 50;
const BUSY_WAITS = 256;
const MAX_BUSY_WAITS = 4096;

/** Two descriptors of one end of a pipe. */
interface ReadingEnd {
  readonly replies: number;
  /** Reading from it never blocks. */
  readonly waiting: number;
}

interface Patience {
  /** Whether this wait begins with looking; to be asked once a wait. */
  mayLook(): boolean;
  /** The answer came while it was looked for, or did not. */
  note(hasCome: boolean): void;
}

/** @param readInLine how long this thread had work and no core so far, in microseconds; Infinity = not known. */
export function createPatience(readInLine: () => number): Patience {
  let left = WINDOW;
  let inLine = readInLine();
  let busyWaits = BUSY_WAITS;
  let hasLooked = false; // in this window
  let skips = WINDOW; // the machine first
  let nextSkips = 1;
  const lookAround = () => {
    const now = readInLine();
    if (now === Number.POSITIVE_INFINITY || now - inLine > CROWDED_US * WINDOW) {
      skips = Math.max(skips, busyWaits);
      busyWaits = Math.min(MAX_BUSY_WAITS, 2 * busyWaits);
    } else if (hasLooked) busyWaits = BUSY_WAITS;
    hasLooked = false;
    inLine = now;
    left = WINDOW;
  };
  return {
    mayLook() {
      left--;
      if (left === 0) lookAround();
      hasLooked ||= skips === 0;
      if (skips === 0) return true;
      skips--;
      return false;
    },
    note(hasCome) {
      if (hasCome) nextSkips = Math.max(1, nextSkips >> 1);
      else {
        skips = nextSkips;
        nextSkips = Math.min(MAX_SKIPS, 2 * nextSkips);
      }
    },
  };
}

/** @param boundMs how long is looked before it sleeps; 0 = not at all. @returns what waits for an answer and fills a view with its beginning; false = the file ends. */
export function createPatientRead(
  end: ReadingEnd,
  boundMs: number,
  patience = createPatience(microsecondsInLine),
): (view: Uint8Array) => boolean {
  return (view) => {
    let count: number | null = null;
    if (boundMs > 0 && patience.mayLook()) {
      count = lookFor(end.waiting, view, boundMs);
      patience.note(count !== null);
    }
    return count !== 0 && readWhole(end.replies, view, count ?? 0);
  };
}

function microsecondsInLine(): number {
  try {
    const [, nanoseconds] = readFileSync('/proc/thread-self/schedstat', 'latin1').split(' ');
    return Number(nanoseconds) / 1000;
  } catch {
    return Number.POSITIVE_INFINITY; // not Linux
  }
}

/** A look that finds nothing throws in Node: 5 us without the stack that nobody reads, 10 with it. */
function lookFor(fd: number, view: Uint8Array, boundMs: number): number | null {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  try {
    const end = performance.now() + boundMs;
    let count = readWithoutWaiting(fd, view);
    while (count === null && performance.now() < end) count = readWithoutWaiting(fd, view);
    return count;
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
}

/** Fills a view from `from` on, asleep until it comes. @returns false at the end of the file. */
export function readWhole(fd: number, view: Uint8Array, from = 0): boolean {
  for (let at = from; at < view.length; ) {
    const count = readSync(fd, view, at, view.length - at, null);
    if (count === 0) return false;
    at += count;
  }
  return true;
}

/** null = nothing there yet; 0 = there never will be. */
export function readWithoutWaiting(fd: number, view: Uint8Array): number | null {
  try {
    return readSync(fd, view, 0, view.length, null);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EAGAIN') return null;
    throw error;
  }
}
