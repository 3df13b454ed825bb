/** The logs of a run, kept going through full disks. */
import { join } from 'node:path';
import { openCsvWriter } from '../metrics/csv-writer.ts';
import { openJsonlWriter } from '../metrics/jsonl-writer.ts';
import type { MetricsRow, MetricsWriter } from '../metrics/metrics-writer.ts';
import { openTensorboardWriter } from '../metrics/tensorboard-writer.ts';
import type { RunWarning } from './run-callbacks.ts';

export interface WriterChoice {
  readonly jsonl: boolean;
  readonly csv: boolean;
  readonly tensorboard: boolean;
}

export interface RunWriters {
  write(row: MetricsRow): void;
  sync(): Promise<void>;
  close(): void;
}

/**
 * Opens the chosen logs in a run folder, cut to the iteration from which the run goes on.
 *
 * A log that cannot be written does not stop the training: the first failure of each is reported, rows are tried
 * again every iteration, and a gap stays where they failed.
 */
export function openRunWriters(
  folder: string,
  choice: WriterChoice,
  from: { readonly iteration: number; readonly numEnvSteps: number },
  warn: (warning: RunWarning) => void,
): RunWriters {
  const failing = new Set<string>();
  const attempt = <T>(path: string, action: () => T): T | null => {
    try {
      const result = action();
      failing.delete(path);
      return result;
    } catch (error) {
      if (!failing.has(path)) {
        const reason = error instanceof Error ? error.message : String(error);
        warn({
          kind: 'metrics',
          message: `Cannot write \`${path}\`: ${reason}. Training goes on without it`,
          error,
        });
      }
      failing.add(path);
      return null;
    }
  };
  const openers: readonly (() => MetricsWriter | null)[] = [
    () => (choice.jsonl ? openJsonlWriter(join(folder, 'progress.jsonl'), from.iteration) : null),
    () => (choice.csv ? openCsvWriter(join(folder, 'progress.csv'), from.iteration) : null),
    () => (choice.tensorboard ? openTensorboardWriter(folder, from.numEnvSteps, Date.now()) : null),
  ];
  const writers = openers.map((open) => attempt(folder, open)).filter((writer) => writer !== null);
  return {
    write: (row) => {
      for (const writer of writers) attempt(writer.path, () => writer.write(row));
    },
    sync: async () => {
      await Promise.all(writers.map((writer) => writer.sync()));
    },
    close: () => {
      for (const writer of writers) attempt(writer.path, () => writer.close());
    },
  };
}
