/** A script that forgets `stop()` would never end, and say nothing: its worker threads keep the process alive. */
import type { Algorithm } from '../algorithm/algorithm.ts';

/** So long after the last call of an algorithm, it is looked whether anything else still goes on in the process. */
const IDLE_MS = 3000;

/** What an idle algorithm has, and the streams of the process. */
const OF_OURS = new Set(['MessagePort', 'PipeWrap', 'TTYWrap']);

/** Calls of all algorithms of this process that are under way, builds, and runs. */
let numBusy = 0;

/** Somebody works: nobody is reminded meanwhile. */
export async function whileBusy<T>(work: () => Promise<T>): Promise<T> {
  numBusy += 1;
  try {
    return await work();
  } finally {
    numBusy -= 1;
  }
}

const CALLS = ['train', 'evaluate', 'getState', 'setState', 'save'] as const;

/** Whether there is nothing in the process but threads and streams that nobody reads. */
function isLeftAlone(): boolean {
  const { stdin } = process;
  const isRead = stdin.readableFlowing === true || stdin.listenerCount('readable') > 0;
  if ((isRead && !stdin.readableEnded) || process.listenerCount('message') > 0) return false;
  const active = process.getActiveResourcesInfo();
  return active.includes('MessagePort') && active.every((name) => OF_OURS.has(name));
}

/**
 * The algorithm, which says once on stderr when nothing but its threads keeps the process alive. A timer, a socket or a server of the user's is
 * something that goes on, and so is an input that is read: a terminal, a pipe, messages of a parent.
 */
export function remindOfStop(algorithm: Algorithm): Algorithm {
  const { argv, getActiveResourcesInfo } = globalThis.process ?? {};
  // In a browser nothing has to end; in a terminal that is typed into everything may be idle for long.
  if (getActiveResourcesInfo === undefined || argv?.[1] === undefined) return algorithm;
  let isStopped = false;
  let hasTold = false;
  let timer: NodeJS.Timeout | undefined;
  const look = () => {
    if (isStopped || hasTold) return;
    if (numBusy > 0 || !isLeftAlone()) {
      wait();
      return;
    }
    hasTold = true;
    process.stderr.write(
      `operant: nothing but the worker threads of ${algorithm.name} keeps this process alive. If the program is over, it lacks \`await algorithm.stop()\`.\n`,
    );
  };
  const wait = () => {
    clearTimeout(timer);
    if (isStopped) return;
    timer = setTimeout(look, IDLE_MS);
    timer.unref();
  };
  for (const name of CALLS) {
    const call = algorithm[name] as (...args: unknown[]) => Promise<unknown>;
    Object.assign(algorithm, {
      [name](...args: unknown[]) {
        return whileBusy(() => call.apply(algorithm, args)).finally(wait);
      },
    });
  }
  const { stop } = algorithm;
  algorithm.stop = () => {
    isStopped = true;
    clearTimeout(timer);
    return stop.call(algorithm);
  };
  wait();
  return algorithm;
}
