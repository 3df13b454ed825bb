/** Where a command writes: results to stdout, or JSON lines there and everything human to stderr. */
import type { WriteStream } from 'node:tty';
import type { JsonObject } from '../json.ts';

/** The part of a stream that is needed; `process.stdout` is one. */
export type OutputStream = Pick<NodeJS.WritableStream, 'write'> &
  Partial<Pick<WriteStream, 'isTTY' | 'columns'>>;

export interface Output {
  readonly isJson: boolean;
  readonly isQuiet: boolean;
  /** Stream of what is for people. */
  readonly human: OutputStream;
  /** A line for people; nothing with --quiet. */
  say(line: string): void;
  /** A line on stderr even with --quiet. */
  warn(line: string): void;
  /** One JSON object on stdout; nothing without --json. */
  emit(object: JsonObject): void;
}

export interface OutputMode {
  readonly isJson: boolean;
  readonly isQuiet: boolean;
}

export function createOutput(mode: OutputMode, stdout: OutputStream, stderr: OutputStream): Output {
  const human = mode.isJson ? stderr : stdout;
  return {
    ...mode,
    human,
    say: (line) => {
      if (!mode.isQuiet) human.write(`${line}\n`);
    },
    warn: (line) => {
      stderr.write(`${line}\n`);
    },
    emit: (object) => {
      if (mode.isJson) stdout.write(`${JSON.stringify(object)}\n`);
    },
  };
}
