/** The life of an algorithm: calls while it lives, and one end. */
import { StoppedError } from '../errors.ts';

export interface Lifecycle {
  /**
   * Runs a call; once `stop()` was called, before it or while it went on, its failure is that.
   *
   * @throws StoppedError `STOPPED_ALGORITHM`
   */
  guard<T>(call: string, run: () => Promise<T>): Promise<T>;
  /** Ends it, once: every call gives the same promise. */
  stop(): Promise<void>;
}

export function createLifecycle(name: string, end: () => Promise<void>): Lifecycle {
  let ending: Promise<void> | null = null;
  return {
    async guard(call, run) {
      if (ending !== null) throw stoppedError(name, `cannot \`${call}\` any more`);
      let failure: unknown;
      try {
        const result = await run();
        if (ending === null) return result;
      } catch (cause) {
        if (ending === null) throw cause;
        failure = cause;
      }
      throw stoppedError(name, `was stopped during \`${call}\`, of which nothing is left`, failure);
    },
    stop() {
      ending ??= end();
      return ending;
    },
  };
}

function stoppedError(name: string, what: string, cause?: unknown): StoppedError {
  return new StoppedError(
    'STOPPED_ALGORITHM',
    `The algorithm ${name} ${what}: stop() was called. Build it again, or go on from a checkpoint.`,
    { cause },
  );
}
