/** Starts test/run/train-toy.ts as a process of its own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import type { TrainToyOptions } from './train-toy.ts';

export interface ToyMessage {
  readonly kind: 'owner' | 'train' | 'warning' | 'summary' | 'error';
  readonly [key: string]: unknown;
}

export interface ToyProcess {
  readonly child: ChildProcess;
  readonly messages: readonly ToyMessage[];
  /** The first message for which the predicate holds; rejects when the process ends without one. */
  until(predicate: (message: ToyMessage) => boolean): Promise<ToyMessage>;
  /** Exit status and signal, when all output has been read. */
  readonly ended: Promise<{ readonly status: number | null; readonly signal: NodeJS.Signals | null }>;
}

export function startToy(
  path: string,
  options: TrainToyOptions = {},
  how: { uid?: number; fileKiB?: number; command?: readonly string[] } = {},
): ToyProcess {
  const script = fileURLToPath(new URL('./train-toy.ts', import.meta.url));
  const command = [process.execPath, '--import', 'tsx', script, path, JSON.stringify(options)];
  // SIGXFSZ is ignored, so that a write beyond the limit fails with EFBIG, as on a full disk it would with ENOSPC.
  const limited = ['bash', '-c', `ulimit -f ${how.fileKiB}; trap "" XFSZ; exec "$@"`, '-', ...command];
  const [file, ...args] = [...(how.command ?? []), ...(how.fileKiB === undefined ? command : limited)];
  const child = spawn(file, args, {
    stdio: ['ignore', 'pipe', 'inherit'],
    ...(how.uid === undefined ? {} : { uid: how.uid, env: { ...process.env, TSX_DISABLE_CACHE: '1' } }),
  });
  onTestFinished(() => {
    child.kill('SIGKILL');
  });
  const messages: ToyMessage[] = [];
  const lines = createInterface({ input: child.stdout! });
  let wake = () => {};
  lines.on('line', (line) => {
    messages.push(JSON.parse(line));
    wake();
  });
  const closed = once(lines, 'close').then(() => wake());
  const exited = once(child, 'exit');
  return {
    child,
    messages,
    async until(predicate) {
      let isClosed = false;
      void closed.then(() => {
        isClosed = true;
      });
      for (let seen = 0; ; ) {
        for (; seen < messages.length; seen++) if (predicate(messages[seen])) return messages[seen];
        if (isClosed)
          throw new Error(`the process ended without that message: ${JSON.stringify(messages.slice(-3))}`);
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
        await Promise.resolve();
      }
    },
    ended: Promise.all([exited, closed]).then(([[status, signal]]) => ({ status, signal })),
  };
}
