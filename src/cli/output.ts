/** Where a command writes: results to stdout, or JSON lines there and everything human to stderr. */
import type { JsonObject } from '../json.ts';
import { createRunOutput, type OutputStream, type RunOutput } from '../run/run-output.ts';

export type Output = RunOutput & {
  readonly isJson: boolean;
  /** One JSON object on stdout; nothing without --json. */
  emit(object: JsonObject): void;
};

export interface OutputMode {
  readonly isJson: boolean;
  readonly isQuiet: boolean;
}

export function createOutput(
  { isJson, isQuiet }: OutputMode,
  stdout: OutputStream,
  stderr: OutputStream,
): Output {
  return {
    ...createRunOutput(isJson ? stderr : stdout, stderr, isQuiet),
    isJson,
    emit: (object) => {
      if (isJson) stdout.write(`${JSON.stringify(object)}\n`);
    },
  };
}
