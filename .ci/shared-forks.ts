/**
 * Processes that several test files share, one after the other: what a file loads, the next one finds there, which is a third of the short files' time.
 * A process serves so many files, and then makes room for a new one: Vitest itself recycles none of those that share modules.
 */
import type { PoolOptions, PoolTask, PoolWorker } from 'vitest/node';
import { watchedWorker } from './watched-forks.ts';

export interface Sharing {
  /** What a process holds grows with the files that it has run. */
  readonly filesPerProcess: number;
  /** Files, and folders with their slash, that have a process of their own, relative to the root. */
  readonly alone: readonly string[];
}

/** A pool for `isolate: false`. Each file is still a task of its own: what fails is told by its file. Of a process that ends Vitest tells that it did; its file is the one that the list lacks. */
export function sharedForks({ filesPerProcess, alone }: Sharing) {
  const name = 'shared-forks';
  return {
    name,
    createPoolWorker(options: PoolOptions): PoolWorker {
      const worker = watchedWorker(options);
      const root = options.project.config.root;
      const isAlone = (path: string) => alone.some((start) => path.slice(root.length + 1).startsWith(start));
      const served: string[] = [];
      const send = worker.send.bind(worker);
      return Object.assign(worker, {
        name,
        send(request: Parameters<typeof send>[0]) {
          if (request.type === 'run') served.push(...request.context.files.map(({ filepath }) => filepath));
          send(request);
        },
        canReuse: ({ context }: PoolTask) =>
          served.length < filesPerProcess &&
          !served.some(isAlone) &&
          !context.files.some(({ filepath }) => isAlone(filepath)),
      });
    },
  };
}
