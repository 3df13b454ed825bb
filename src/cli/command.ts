/** What a sub-command gets and gives. */
import type { OutputStream } from '../run/run-output.ts';

export interface CommandContext {
  /** Arguments behind the command's name. */
  readonly argv: readonly string[];
  readonly stdout: OutputStream;
  readonly stderr: OutputStream;
  /** What a person types; absent = the process's. */
  readonly stdin?: NodeJS.ReadableStream;
  /** --verbose is there: stack traces are wanted. */
  readonly isVerbose: boolean;
}

/** Returns the exit code, or throws: the caller reports it. */
export type Command = (context: CommandContext) => Promise<number>;
