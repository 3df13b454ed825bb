/** One warm thread beside the rollout workers: starting a thread takes longer than all else that a replacement needs. */
import type { Piscina } from 'piscina';
import type { AnyWorkerPlan } from './messages.ts';
import {
  type RolloutWorker,
  type RowRange,
  type StandbyWorker,
  startStandbyWorker,
} from './rollout-worker.ts';
import type { RowState } from './row-states.ts';

/** Runs that are over sooner than this, and lose no worker, never pay for the thread. */
const WARM_UP_AFTER_MS = 5000;

export interface Standby {
  /** Starts the thread some time from now, unless there is one. */
  startLater(): void;
  /** Starts the thread now, unless there is one. */
  start(): void;
  /** Makes the thread, ready or about to be, the worker of these rows; null when there is none. */
  assign(range: RowRange, states: readonly RowState[] | null): Promise<RolloutWorker> | null;
  end(): Promise<void>;
}

/** @param isWanted false = workers are never replaced, so there never is such a thread. */
export function createStandby(pool: Piscina, plan: AnyWorkerPlan, isWanted: boolean): Standby {
  let waiting: StandbyWorker | null = null;
  let timer: NodeJS.Timeout | undefined;
  let isAssigning = false; // the one before may not have heard yet, and has the same control words
  const start = () => {
    clearTimeout(timer);
    if (isWanted && !isAssigning && !waiting?.isAlive()) waiting = startStandbyWorker(pool, plan);
  };
  return {
    start,
    startLater() {
      clearTimeout(timer);
      timer = setTimeout(start, WARM_UP_AFTER_MS).unref();
    },
    assign(range, states) {
      const taken = waiting?.isAlive() ? waiting : null;
      waiting = null;
      if (taken === null) return null;
      isAssigning = true;
      return taken.assign(range, states).finally(() => {
        isAssigning = false;
      });
    },
    async end() {
      clearTimeout(timer);
      await waiting?.end();
      waiting = null;
    },
  };
}
