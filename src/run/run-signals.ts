/** What asks a run to end before its time: signals, and errors that nobody caught. */

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

export interface SignalWatch {
  /** The first error that {@link failRuns} was given; null so far. */
  readonly failure: Error | null;
  /** Gives the signals back their usual effect. */
  dispose(): void;
}

interface Watched {
  failure: Error | null;
}

const watched = new Set<Watched>();

/**
 * Catches the first signal; SIGINT or SIGTERM after it has its usual effect again and ends the process at once. SIGHUP may come
 * twice when a terminal closes, from the shell and from the system, so it never ends anything at once.
 *
 * @param onFirst called when the first one comes, with its name.
 */
export function watchSignals(onFirst: (signal: NodeJS.Signals) => void = () => undefined): SignalWatch {
  let hasCome = false;
  const state: Watched = { failure: null };
  const dispose = () => {
    watched.delete(state);
    for (const signal of SIGNALS) process.off(signal, onSignal);
  };
  const onSignal = (signal: NodeJS.Signals) => {
    if (!hasCome) {
      hasCome = true;
      onFirst(signal);
    } else if (signal !== 'SIGHUP') {
      dispose();
      process.kill(process.pid, signal);
    }
  };
  watched.add(state);
  for (const signal of SIGNALS) process.on(signal, onSignal);
  return {
    get failure() {
      return state.failure;
    },
    dispose,
  };
}

/**
 * Ends the runs of this process that watch for signals after their current iteration, with a checkpoint, because of an error that
 * nobody caught: a stray rejection, what a timer threw. They reject with the first such error.
 *
 * @returns false when there is no such run: then nobody will tell of the error.
 */
export function failRuns(error: unknown): boolean {
  for (const state of watched) state.failure ??= error instanceof Error ? error : new Error(String(error));
  return watched.size > 0;
}
