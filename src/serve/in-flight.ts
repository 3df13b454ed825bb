/** Requests that have no answer yet. */
import type { ServeMetrics } from './metrics.ts';

export interface InFlight {
  readonly count: number;
  /** Whatever asks is counted from here to its answer. @returns when that was, of `performance.now()`. */
  begin(): number;
  /** @param status of its answer. */
  end(began: number, status: number): void;
  /** Resolves when there is none, or after so long. */
  settled(withinMs: number): Promise<void>;
}

export function createInFlight(metrics: ServeMetrics): InFlight {
  let count = 0;
  let answered = (): void => undefined;
  return {
    get count() {
      return count;
    },
    begin() {
      count += 1;
      return performance.now();
    },
    end(began, status) {
      count -= 1;
      if (count === 0) answered();
      metrics.countRequest(status, (performance.now() - began) / 1000);
    },
    settled(withinMs) {
      return new Promise((resolve) => {
        if (count === 0) return resolve();
        const timer = setTimeout(resolve, withinMs);
        answered = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    },
  };
}
