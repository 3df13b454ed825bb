/** Runs a command line as this process: streams, exit code, and errors that nobody caught. */
import { describeError } from './report-error.ts';
import { runCommand } from './run-command.ts';

/** A finished command whose process is still alive after this has left something running; it is ended then. */
const LINGER_MS = 2000;

/** Runs `operant <argv>` and sets the exit code. */
export async function runProcess(argv: readonly string[]): Promise<void> {
  const isVerbose = argv.includes('--verbose');
  const fail = (error: unknown) => {
    process.stderr.write(`error: ${describeError(error, isVerbose).text}\n`);
    process.exit(1);
  };
  process.on('uncaughtException', fail);
  process.on('unhandledRejection', fail);
  endWhenReaderLeaves();
  process.exitCode = await runCommand(argv, { stdout: process.stdout, stderr: process.stderr });
  const end = () => {
    if (isVerbose) process.stderr.write(`still running: ${process.getActiveResourcesInfo().join(', ')}\n`);
    process.exit();
  };
  setTimeout(end, LINGER_MS).unref();
}

/** `operant train --json | head`: when the reader is gone, a run ends as if interrupted, with its checkpoint. */
function endWhenReaderLeaves(): void {
  let isGone = false;
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    if (!isGone) process.emit('SIGTERM', 'SIGTERM');
    isGone = true;
  });
}
