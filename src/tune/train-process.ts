/** One `operant train` as a child process. */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { loaderArgv, threadEntryUrl } from '../threads/exec-argv.ts';

/** How a process ended. */
export interface TrainEnd {
  /** null where a signal ended it. */
  readonly exitCode: number | null;
  /** Code and message of its error, as `--json` gives them; else what it last wrote to stderr. */
  readonly error: { readonly code: string | null; readonly message: string } | null;
}

/** One run folder, from where it stands to its end. */
export interface FolderTraining {
  readonly folder: string;
  /** Arguments of `train`, without --out and --resume, for a folder that holds no run. */
  readonly begin: readonly string[];
  /** Arguments beside --resume for one that does. */
  readonly resume: readonly string[];
  /** A process that reports nothing for so long is killed; measured from its start or its last report. */
  readonly silenceSeconds: number;
  /** The process ends after the iteration at hand, with a checkpoint. */
  readonly signal: AbortSignal;
}

const ENTRY = threadEntryUrl('../cli/main', import.meta.url);
const STDERR_CHARACTERS = 2000;

/** How long the process of a driver that was killed may take to end: it holds the lock of its run folder. */
const LOCKED_SECONDS = 60;

/**
 * Trains to the end, again and from the last checkpoint where the process was killed.
 *
 * @param train {@link trainFolder}, or what does its work elsewhere. @returns why it failed for good; null where it came to its end, or the signal ended it.
 */
export async function trainToEnd(
  training: FolderTraining,
  maxRetries: number,
  train: Train,
): Promise<string | null> {
  let numRetries = 0;
  const lockedUntil = Date.now() + LOCKED_SECONDS * 1000;
  for (;;) {
    const end = await train(training);
    if (end.exitCode === 0 || training.signal.aborted) return null;
    if (end.error?.code === 'CHECKPOINT_LOCKED' && Date.now() < lockedUntil) {
      await sleep(500);
      continue;
    }
    // an error of ours comes again with the same seed; a kill, a crash and a lack of memory need not
    const mayRetry = end.exitCode === null || end.error?.code === null;
    if (!mayRetry || numRetries === maxRetries) return reasonOf(end);
    numRetries += 1;
  }
}

function reasonOf({ error }: TrainEnd): string {
  return error?.code ? `${error.code}: ${error.message}` : (error?.message ?? 'unknown');
}

/** What trains: a process of this machine, or of another that brings the folder back. */
export type Train = (training: FolderTraining) => Promise<TrainEnd>;

/** Begins or goes on with the run of a folder in a process of its own. */
export async function trainFolder(training: FolderTraining): Promise<TrainEnd> {
  const { folder, begin, resume, silenceSeconds, signal } = training;
  const isBegun = existsSync(join(folder, 'config.json'));
  const args = isBegun ? ['--resume', folder, ...resume] : [...begin, '--out', folder];
  const child = startTraining(args);
  const stop = () => child.kill('SIGTERM');
  signal.addEventListener('abort', stop, { once: true });
  if (signal.aborted) stop();
  try {
    return await endOf(child, silenceSeconds);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

/** When this process dies, the child's next report finds no reader, and it ends with a checkpoint. */
function startTraining(args: readonly string[]) {
  const command = [...loaderArgv(), fileURLToPath(ENTRY), 'train', '--json', '--quiet', ...args];
  return spawn(process.execPath, command, { stdio: ['ignore', 'pipe', 'pipe'] });
}

function endOf(child: ReturnType<typeof startTraining>, silenceSeconds: number): Promise<TrainEnd> {
  let stderr = '';
  let reported: TrainEnd['error'] = null;
  const silence = setTimeout(() => {
    reported = { code: null, message: `it reported nothing for ${silenceSeconds} s, and was killed` };
    child.kill('SIGKILL');
  }, silenceSeconds * 1000);
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr = (stderr + text).slice(-STDERR_CHARACTERS);
  });
  createInterface({ input: child.stdout }).on('line', (line) => {
    silence.refresh();
    reported ??= errorIn(line);
  });
  return new Promise<TrainEnd>((resolve) => {
    const end = (exitCode: number | null, message: string) => {
      clearTimeout(silence);
      const error = exitCode === 0 ? null : (reported ?? { code: null, message: stderr.trim() || message });
      resolve({ exitCode, error });
    };
    child.once('error', (error) => end(null, error.message));
    child.once('close', (exitCode, signal) => end(exitCode, `ended by ${signal ?? `exit code ${exitCode}`}`));
  });
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
