/** Calls hooks so that their errors cannot harm the run. */
import type { RunCallbacks, RunWarning } from './run-callbacks.ts';

type HookName = keyof RunCallbacks;
type HookEvent<K extends HookName> = Parameters<NonNullable<RunCallbacks[K]>>[0];

export interface CallbackRunner {
  /** False when no hook of that name is there: the event need not be made. */
  has(name: HookName): boolean;
  call<K extends HookName>(name: K, event: HookEvent<K>): Promise<void>;
  /** The first error of a hook under `strictCallbacks`; null otherwise. */
  readonly strictError: Error | null;
}

export function createCallbackRunner(
  callbacks: readonly RunCallbacks[],
  isStrict: boolean,
  warn: (warning: RunWarning) => void,
): CallbackRunner {
  let strictError: Error | null = null;
  return {
    has: (name) => callbacks.some((hooks) => hooks[name] !== undefined),
    async call(name, event) {
      for (const hooks of callbacks) {
        const hook = hooks[name] as ((event: unknown) => void | Promise<void>) | undefined;
        if (hook === undefined) continue;
        try {
          await hook.call(hooks, event);
        } catch (thrown) {
          const error = thrown instanceof Error ? thrown : new Error(String(thrown));
          if (isStrict) strictError ??= error;
          else warn({ kind: 'callback', message: `The callback ${name} failed: ${error.message}`, error });
        }
      }
    },
    get strictError() {
      return strictError;
    },
  };
}
