/** What ends a run before a stop condition does: a signal of the system, an AbortSignal, an error that nobody caught. */
import type { RunWarning } from './run-callbacks.ts';
import { watchSignals } from './run-signals.ts';
import type { StopReason } from './run-state.ts';

export interface Interruption {
  /** Aborted as soon as the run has to end, but for an error that nobody caught: what can wait is then left undone. */
  readonly signal: AbortSignal;
  /** Why the run has to end; null = it does not. */
  readonly reason: () => StopReason | null;
  /** The error that nobody caught. */
  readonly failure: () => Error | null;
  dispose(): void;
}

export function watchInterruption(
  { handleSignals, signal: given }: { readonly handleSignals: boolean; readonly signal?: AbortSignal },
  warn: (warning: RunWarning) => void,
): Interruption {
  const controller = new AbortController();
  const abort = () => controller.abort();
  if (given?.aborted === true) abort();
  const onSignal = (signal: NodeJS.Signals) => {
    abort();
    const message = `${signal} came: the run ends after this iteration, with a checkpoint`;
    warn({ kind: 'interruption', message, error: null });
  };
  const signals = handleSignals ? watchSignals(onSignal) : null;
  given?.addEventListener('abort', abort, { once: true });
  const failure = () => signals?.failure ?? null;
  return {
    signal: controller.signal,
    reason: () => (failure() !== null ? 'error' : controller.signal.aborted ? 'interrupted' : null),
    failure,
    dispose() {
      signals?.dispose();
      given?.removeEventListener('abort', abort);
    },
  };
}
