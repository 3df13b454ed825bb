/** How many losses are made good before a run ends. */
import { ClusterError, ConfigError, EnvError, WorkerError } from '../errors.ts';

export interface RestartBudget {
  /** @throws the error itself when nothing is left, or when a replacement would meet it again. */
  spend(error: Error): void;
}

/**
 * Decides whether a failure may be answered by a replacement: at most `maxRestarts` within the window, and never for
 * an environment error that came back at the same step of the same episode, since it would come back for ever.
 */
export function createRestartBudget({
  maxRestarts,
  restartWindowMs,
}: {
  readonly maxRestarts: number;
  readonly restartWindowMs: number;
}): RestartBudget {
  let times: number[] = [];
  const places = new Set<string>();
  return {
    spend(error: Error): void {
      // A factory that threw may have missed a server; an environment's other errors say where they happened.
      const isFactory = error instanceof ConfigError && error.code === 'CONFIG_ENV_FACTORY';
      const isLoss = error instanceof WorkerError || error instanceof ClusterError;
      if (!(error instanceof EnvError || isLoss || isFactory)) throw error;
      if (!isLoss) {
        const place = isFactory ? error.message : JSON.stringify((error as EnvError).place);
        if (places.has(place)) throw error;
        places.add(place);
      }
      const now = performance.now();
      times = times.filter((time) => now - time < restartWindowMs);
      if (times.length >= maxRestarts) throw error;
      times.push(now);
    },
  };
}
