/** Turns whatever was thrown into one clear message and an exit code. */
import { CheckpointError, ConfigError, isOperantError } from '../errors.ts';

/** 0 done, 1 failure, 2 bad usage or config, 130 interrupted (after the checkpoint). */
export const EXIT = { done: 0, failure: 1, usage: 2, interrupted: 130 } as const;

export interface ErrorReport {
  readonly exitCode: number;
  /** Stable code of an Operant error, else null. */
  readonly code: string | null;
  /** For people, without `error:` in front. */
  readonly text: string;
}

/** Checkpoint errors that say the command line was wrong or lacks something, not the file that it names. */
const USAGE_CODES = new Set([
  'CHECKPOINT_NOT_FOUND',
  'CHECKPOINT_POINTER',
  'CHECKPOINT_TRUST',
  'CHECKPOINT_ALGORITHM',
  'CHECKPOINT_MISMATCH',
]);

/**
 * What to tell the user. A stack trace is shown with `verbose` only.
 *
 * An error that is not Operant's comes from the user's own code or is a bug; it gets a hint to `--verbose`.
 */
export function describeError(error: unknown, verbose: boolean): ErrorReport {
  const isOurs = isOperantError(error);
  const isUsage =
    error instanceof ConfigError || (error instanceof CheckpointError && USAGE_CODES.has(error.code));
  const message = error instanceof Error ? error.message : String(error);
  let text = isOurs ? message : `${nameOf(error)}: ${message}`;
  if (verbose) text = stackOf(error);
  else if (!isOurs) text += '\n(--verbose shows where.)';
  return { exitCode: isUsage ? EXIT.usage : EXIT.failure, code: isOurs ? error.code : null, text };
}

function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : 'Thrown value';
}

/** The stack, and those of the causes under it. */
function stackOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const own = error.stack ?? `${error.name}: ${error.message}`;
  return error.cause === undefined ? own : `${own}\nCaused by: ${stackOf(error.cause)}`;
}
