/** Runs the programs that the installer needs: pip, npm, a compiler. */
import { spawn } from 'node:child_process';

export interface CommandResult {
  /** null when the program could not be started. */
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program without a shell; `onLine` sees its output as it comes, carriage returns counting as line ends. */
export function runCommand(
  command: string,
  args: readonly string[],
  { onLine, cwd }: { onLine?: (line: string) => void; cwd?: string } = {},
): Promise<CommandResult> {
  return new Promise((resolve) => {
    // npm is a .cmd file on Windows, which only a shell can start.
    const shell = process.platform === 'win32' && command === 'npm';
    const child = spawn(command, args, { cwd, shell, stdio: ['ignore', 'pipe', 'pipe'] });
    const collected = { stdout: '', stderr: '' };
    for (const name of ['stdout', 'stderr'] as const) {
      let pending = '';
      child[name].setEncoding('utf8').on('data', (chunk: string) => {
        collected[name] += chunk;
        const lines = (pending + chunk).split(/[\r\n]+/);
        pending = lines.pop() ?? '';
        for (const line of lines) if (line.trim() !== '') onLine?.(line.trim());
      });
    }
    child.on('error', () => resolve({ exitCode: null, ...collected }));
    child.on('close', (exitCode) => resolve({ exitCode: exitCode ?? 1, ...collected }));
  });
}

/** The first of several commands that answers to `--version`; null when none does. */
export async function findCommand(
  candidates: readonly (readonly [string, ...string[]])[],
): Promise<readonly [string, ...string[]] | null> {
  for (const candidate of candidates) {
    const [command, ...args] = candidate;
    const { exitCode } = await runCommand(command, [...args, '--version']);
    if (exitCode === 0) return candidate;
  }
  return null;
}

/** The line of a program's output that says what went wrong. */
export function lastErrorLine({ stdout, stderr }: CommandResult): string {
  const lines = `${stdout}\n${stderr}`.split(/[\r\n]+/).map((line) => line.trim());
  const errors = lines.filter((line) => /error|fatal|not found/i.test(line));
  return errors.at(-1) ?? lines.filter((line) => line !== '').at(-1) ?? 'no output';
}
