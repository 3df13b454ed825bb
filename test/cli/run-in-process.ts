/** Runs a command line in this process and keeps what it writes. */

import { runCommand } from '../../src/cli/run-command.ts';
import type { JsonObject } from '../../src/json.ts';

export interface CommandResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
  /** stdout's lines as JSON, for --json. */
  json(): readonly JsonObject[];
}

export async function operant(...argv: string[]): Promise<CommandResult> {
  const written = { stdout: '', stderr: '' };
  const stream = (name: 'stdout' | 'stderr') => ({
    write: (chunk: string | Uint8Array) => {
      written[name] += String(chunk);
      return true;
    },
  });
  const exitCode = await runCommand(argv, { stdout: stream('stdout'), stderr: stream('stderr') });
  const json = () =>
    written.stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as JsonObject);
  return { exitCode, ...written, json };
}

/** Worker threads that are alive now; they end a moment after `terminate()` resolves. */
export function countThreads(): number {
  return process.getActiveResourcesInfo().filter((name) => name === 'MessagePort' || name === 'Worker')
    .length;
}
