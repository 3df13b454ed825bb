/** The hosts of a study: as many as there are trials to run and the cluster has room for; they come when they are needed and go when they are not. */
import type { TrialHost } from './trial-host-link.ts';

/** A host that has had nothing to do for so long gives its room back. */
const IDLE_MS = 10_000;

export interface TrialPool {
  /**
   * One that is nobody's: idle and still there, given back, or a new one when the cluster has room.
   *
   * @param signal ends the wait. @returns null where it did. @throws what opening one threw.
   */
  acquire(signal: AbortSignal): Promise<TrialHost | null>;
  release(host: TrialHost): void;
  /** A lost one: it is not given again, and the next is opened elsewhere where it can be. */
  discard(host: TrialHost, isElsewhere: boolean): void;
  /** Ends those that are idle; whoever waits, waits on. */
  stop(): void;
}

interface Waiter {
  readonly resolve: (host: TrialHost | null) => void;
  readonly reject: (error: unknown) => void;
}

/** @param open with an index that no other host had, and the id of a node to stay away from. */
export function createTrialPool(
  open: (index: number, avoid: string | null) => Promise<TrialHost>,
): TrialPool {
  const waiters: Waiter[] = [];
  const idle = new Map<TrialHost, NodeJS.Timeout>();
  let numOpening = 0;
  let numOpened = 0;
  let avoid: string | null = null;
  const give = (host: TrialHost) => {
    const waiter = waiters.shift();
    if (waiter !== undefined) return waiter.resolve(host);
    const timer = setTimeout(() => {
      idle.delete(host);
      host.close();
    }, IDLE_MS);
    idle.set(host, timer.unref());
  };
  const openAnother = () => {
    numOpening += 1;
    const away = avoid;
    avoid = null;
    open(numOpened++, away).then(
      (host) => {
        numOpening -= 1;
        give(host);
      },
      (error: unknown) => {
        numOpening -= 1;
        waiters.shift()?.reject(error);
      },
    );
  };
  const wait = (signal: AbortSignal): Promise<TrialHost | null> => {
    let leave = (): void => undefined;
    const given = new Promise<TrialHost | null>((resolve, reject) => {
      const waiter = { resolve, reject };
      waiters.push(waiter);
      leave = () => {
        const at = waiters.indexOf(waiter);
        if (at < 0) return;
        waiters.splice(at, 1);
        resolve(null);
      };
    });
    signal.addEventListener('abort', leave);
    if (signal.aborted) leave();
    else if (numOpening < waiters.length) openAnother();
    return given.finally(() => signal.removeEventListener('abort', leave));
  };
  return {
    async acquire(signal) {
      for (const [host, timer] of idle) {
        clearTimeout(timer);
        idle.delete(host);
        // Nobody hears of one that is lost while it has nothing to do, and a trial would pay for it with a retry.
        if (await host.isThere()) return host;
        host.close();
      }
      return wait(signal);
    },
    release: give,
    discard(host, isElsewhere) {
      host.close();
      if (isElsewhere) avoid = host.node;
    },
    stop() {
      for (const [host, timer] of idle) {
        clearTimeout(timer);
        host.close();
      }
      idle.clear();
    },
  };
}
