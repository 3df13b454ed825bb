/** Where a run tells a person what it does. */
import type { WriteStream } from 'node:tty';

/** The part of a stream that is needed; `process.stdout` is one. */
export type OutputStream = Pick<NodeJS.WritableStream, 'write'> &
  Partial<Pick<WriteStream, 'isTTY' | 'columns'>>;

export interface RunOutput {
  readonly isQuiet: boolean;
  /** Stream of what is for people. */
  readonly human: OutputStream;
  /** A line for people; nothing when quiet. */
  say(line: string): void;
  /** A line on stderr even when quiet. */
  warn(line: string): void;
}

/** Everything but warnings goes to `human`. */
export function createRunOutput(human: OutputStream, stderr: OutputStream, isQuiet = false): RunOutput {
  return {
    isQuiet,
    human,
    say: (line) => {
      if (!isQuiet) human.write(`${line}\n`);
    },
    warn: (line) => {
      stderr.write(`${line}\n`);
    },
  };
}
