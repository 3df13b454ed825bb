/** SIGINT and SIGTERM for commands that only wait for processes: the first asks for an end with checkpoints, the second ends at once. */
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** The signal aborts with the first; `dispose` gives the signals back their usual effect. */
export function interruptSignal(): { readonly signal: AbortSignal; dispose(): void } {
  const controller = new AbortController();
  const onSignal = () => {
    controller.abort();
    dispose();
  };
  const dispose = () => {
    for (const name of SIGNALS) process.off(name, onSignal);
  };
  for (const name of SIGNALS) process.on(name, onSignal);
  return { signal: controller.signal, dispose };
}
