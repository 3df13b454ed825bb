/** Runs a command line as this process: streams, exit code, and errors that nobody caught. */

import type { OutputStream } from '../run/run-output.ts';
import { failRuns } from '../run/run-signals.ts';
import { guardStreams } from './guarded-streams.ts';
import { describeError, EXIT } from './report-error.ts';
import { runCommand } from './run-command.ts';

/** A finished command whose process is still alive after this has left something running; it is ended then. */
const LINGER_MS = 2000;
/** An error that nobody caught may be the reason why an iteration never ends. */
const LAST_ITERATION_MS = 120_000;

/** Runs `operant <argv>` and sets the exit code. */
export async function runProcess(argv: readonly string[]): Promise<void> {
  const isVerbose = argv.includes('--verbose');
  // `operant train --json | head`: when the reader is gone, a run ends as if interrupted, with its checkpoint.
  const streams = guardStreams(process.stdout, process.stderr, () => process.emit('SIGTERM', 'SIGTERM'));
  endOnStrayErrors(streams.stderr, isVerbose);
  const exitCode = await runCommand(argv, streams);
  process.exitCode = exitCode === EXIT.done && streams.isOutputLost ? EXIT.failure : exitCode;
  const end = () => {
    if (isVerbose) streams.stderr.write(`still running: ${process.getActiveResourcesInfo().join(', ')}\n`);
    process.exit();
  };
  setTimeout(end, LINGER_MS).unref();
}

/** A run is saved first, as for SIGTERM; further errors of the same origin (a timer's) change nothing about that. */
function endOnStrayErrors(stderr: OutputStream, isVerbose: boolean): void {
  let isEnding = false;
  const onStray = (error: unknown) => {
    const text = `error: ${describeError(error, isVerbose).text}\n`;
    if (!failRuns(error)) {
      stderr.write(text);
      process.exit(EXIT.failure);
    }
    if (isEnding) return;
    isEnding = true;
    stderr.write(`${text}Nobody caught this error. The run ends after this iteration, with a checkpoint.\n`);
    setTimeout(() => {
      const seconds = LAST_ITERATION_MS / 1000;
      stderr.write(
        `error: the iteration did not end within ${seconds} s; the last checkpoint is what is left\n`,
      );
      process.exit(EXIT.failure);
    }, LAST_ITERATION_MS).unref();
  };
  process.on('uncaughtException', onStray);
  process.on('unhandledRejection', onStray);
}
