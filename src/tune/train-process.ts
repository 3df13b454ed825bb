/** One `operant train` as a child process. */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { threadEntryUrl } from '../threads/exec-argv.ts';

/** How a process ended. */
export interface TrainEnd {
  /** null where a signal ended it. */
  readonly exitCode: number | null;
  /** Code and message of its error, as `--json` gives them; else what it last wrote to stderr. */
  readonly error: { readonly code: string | null; readonly message: string } | null;
  /** It reported nothing for too long, and was killed. */
  readonly isTimedOut: boolean;
}

export interface TrainProcess {
  readonly ended: Promise<TrainEnd>;
  /** SIGTERM: it ends after the iteration at hand, with a checkpoint. */
  stop(): void;
}

const ENTRY = threadEntryUrl('../cli/main', import.meta.url);
/** From source the child needs the loader of TypeScript, as this process did. */
const loader = () => (ENTRY.endsWith('.ts') ? ['--import', import.meta.resolve('tsx')] : []);
const STDERR_CHARACTERS = 2000;

/**
 * Starts `operant train --json --quiet` with these further arguments. When this process dies, the child's next report finds no reader, and it
 * ends with a checkpoint.
 *
 * @param silenceSeconds without a report it is killed; measured from its start or its last report.
 */
export function startTraining(args: readonly string[], silenceSeconds: number): TrainProcess {
  const child = spawn(
    process.execPath,
    [...loader(), fileURLToPath(ENTRY), 'train', '--json', '--quiet', ...args],
    {
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  let stderr = '';
  let reported: TrainEnd['error'] = null;
  let isTimedOut = false;
  const silence = setTimeout(() => {
    isTimedOut = true;
    child.kill('SIGKILL');
  }, silenceSeconds * 1000);
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr = (stderr + text).slice(-STDERR_CHARACTERS);
  });
  createInterface({ input: child.stdout }).on('line', (line) => {
    silence.refresh();
    reported = errorIn(line) ?? reported;
  });
  const ended = new Promise<TrainEnd>((resolve) => {
    const end = (exitCode: number | null, message: string) => {
      clearTimeout(silence);
      const error = exitCode === 0 ? null : (reported ?? { code: null, message: stderr.trim() || message });
      resolve({ exitCode, error, isTimedOut });
    };
    child.once('error', (error) => end(null, error.message));
    child.once('close', (exitCode, signal) => end(exitCode, `ended by ${signal ?? `exit code ${exitCode}`}`));
  });
  return { ended, stop: () => child.kill('SIGTERM') };
}

function errorIn(line: string): TrainEnd['error'] {
  if (!line.startsWith('{"type":"error"')) return null;
  try {
    const { code, message } = JSON.parse(line) as { code: string | null; message: string };
    return { code, message };
  } catch {
    return null;
  }
}
