/** A full disk, or a hook that always fails, says the same after every iteration: it is told once, and then how often. */
import { isOperantError } from '../errors.ts';
import type { RunWarning } from './run-callbacks.ts';

type Warn = (warning: RunWarning) => void;

/** A process that warns of ever new things is not followed for ever. */
const MAX_KINDS = 1000;

/**
 * Passes the 1st, 10th, 100th, ... of equal warnings on, with their number from the 10th on. Warnings are equal that differ in
 * numbers only, or come from an error of the same code.
 *
 * @returns `warn` to be called instead, and `finish`, which tells at the end how many were left out.
 */
export function limitRepeats(warn: Warn): { readonly warn: Warn; finish(): void } {
  const counts = new Map<string, { count: number; shown: number; last: RunWarning }>();
  return {
    warn(warning) {
      const key = kindOf(warning);
      const known = counts.get(key);
      if (known === undefined) {
        if (counts.size < MAX_KINDS) counts.set(key, { count: 1, shown: 1, last: warning });
        warn(warning);
        return;
      }
      known.count += 1;
      known.last = warning;
      if (known.count < 10 * known.shown) return;
      known.shown *= 10;
      warn({ ...warning, message: `${warning.message} (${known.count} such warnings so far)` });
    },
    finish() {
      for (const { count, shown, last } of counts.values()) {
        if (count > shown) warn({ ...last, message: `${last.message} (${count} such warnings in all)` });
      }
      counts.clear();
    },
  };
}

function kindOf({ kind, message, error }: RunWarning): string {
  return `${kind} ${isOperantError(error) ? error.code : message.replaceAll(/\d+/g, '#')}`;
}
