/** Standard output and error that may be closed, or on a full disk: what cannot be written there ends no run. */
import type { OutputStream } from '../run/run-output.ts';

export interface GuardedStreams {
  readonly stdout: OutputStream;
  readonly stderr: OutputStream;
  /** Something that was asked for on stdout could not be written, and its reader had not simply left. */
  readonly isOutputLost: boolean;
}

/**
 * Guards a process's streams, also against writes that do not go through the returned ones.
 *
 * A reader that leaves (`operant train --json | head`) is told of by `onReaderGone`, once. Any other trouble with stdout is said on
 * stderr, once; trouble with stderr nowhere.
 */
export function guardStreams(
  stdout: NodeJS.WriteStream,
  stderr: NodeJS.WriteStream,
  onReaderGone: () => void,
): GuardedStreams {
  let isGone = false;
  let isOutputLost = false;
  const guardedErrors = guarded(stderr, () => undefined);
  const onLost = (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') {
      if (!isGone) onReaderGone();
      isGone = true;
    } else if (!isOutputLost) {
      isOutputLost = true;
      guardedErrors.write(
        `warning: standard output cannot be written (${error.message}); a run goes on, and its folder has every row\n`,
      );
    }
  };
  return {
    stdout: guarded(stdout, onLost),
    stderr: guardedErrors,
    get isOutputLost() {
      return isOutputLost;
    },
  };
}

function guarded(stream: NodeJS.WriteStream, onLost: (error: NodeJS.ErrnoException) => void): OutputStream {
  stream.on('error', onLost);
  return {
    get isTTY() {
      return stream.isTTY;
    },
    get columns() {
      return stream.columns;
    },
    write(chunk: string | Uint8Array) {
      try {
        return stream.write(chunk);
      } catch (error) {
        // A file's stream writes at once, and on some versions of Node throws.
        onLost(error as NodeJS.ErrnoException);
        return true;
      }
    },
  };
}
