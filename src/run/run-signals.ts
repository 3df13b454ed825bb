/** SIGINT and SIGTERM as a request to stop. */

const SIGNALS = ['SIGINT', 'SIGTERM'] as const;

export interface SignalWatch {
  /** The first signal that came; null so far. */
  readonly received: NodeJS.Signals | null;
  /** Gives the signals back their usual effect. */
  dispose(): void;
}

/** Catches the first signal; the next one has its usual effect again and ends the process at once. */
export function watchSignals(): SignalWatch {
  let received: NodeJS.Signals | null = null;
  const dispose = () => {
    for (const signal of SIGNALS) process.off(signal, onSignal);
  };
  const onSignal = (signal: NodeJS.Signals) => {
    if (received !== null) {
      dispose();
      process.kill(process.pid, signal);
    }
    received = signal;
  };
  for (const signal of SIGNALS) process.on(signal, onSignal);
  return {
    get received() {
      return received;
    },
    dispose,
  };
}
