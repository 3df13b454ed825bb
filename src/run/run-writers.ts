/** The logs of a run, kept going through full disks. */
import { join } from 'node:path';
import { openCsvWriter } from '../metrics/csv-writer.ts';
import type { Hyperparameters } from '../metrics/hparams-record.ts';
import { openJsonlWriter } from '../metrics/jsonl-writer.ts';
import type { LateMetrics, MetricsRow, MetricsWriter } from '../metrics/metrics-writer.ts';
import { openTensorboardWriter } from '../metrics/tensorboard-writer.ts';
import type { RunWarning } from './run-callbacks.ts';

export interface WriterChoice {
  readonly jsonl: boolean;
  readonly csv: boolean;
  readonly tensorboard: boolean;
}

/** Where the logs go on from, and what they are of. */
export interface RunStart {
  readonly iteration: number;
  readonly numEnvSteps: number;
  readonly hyperparameters?: Hyperparameters;
}

export interface RunWriters {
  /** The row is in the files {@link FLUSH_MS} later at most, if iterations go on, and when `sync` or `close` is called. */
  write(row: MetricsRow): void;
  /** Adds to the row of the iteration from which the run goes on, at once. */
  amend(late: LateMetrics): void;
  /** Forces every row so far to the disk. */
  sync(): Promise<void>;
  close(): void;
}

/**
 * Rows of quick iterations are written together: it costs a third of writing each by itself, between kernels that have the caches. A
 * killed process loses no more than the rows of this time, and a resumed run writes them again.
 */
const FLUSH_MS = 250;

/**
 * Opens the chosen logs in a run folder, cut to the iteration from which the run goes on.
 *
 * A log that cannot be written does not stop the training: the first failure of each is reported, rows are tried
 * again every iteration, and a gap stays where they failed.
 *
 * @param check throws when another process has the folder: then `write` and `sync` throw that, and no row is written any more.
 */
export function openRunWriters(
  folder: string,
  choice: WriterChoice,
  from: RunStart,
  warn: (warning: RunWarning) => void,
  check: () => void = () => undefined,
): RunWriters {
  const reported = new Set<string>();
  const attempt = <T>(path: string, action: () => T): T | null => {
    try {
      return action();
    } catch (error) {
      if (!reported.has(path)) {
        const reason = error instanceof Error ? error.message : String(error);
        warn({
          kind: 'metrics',
          message: `Cannot write \`${path}\`: ${reason}. Training goes on without it`,
          error,
        });
      }
      reported.add(path); // for good: on a full disk a shorter row may fit between two that do not
      return null;
    }
  };
  const openers: readonly (() => MetricsWriter | null)[] = [
    () => (choice.jsonl ? openJsonlWriter(join(folder, 'progress.jsonl'), from.iteration) : null),
    () => (choice.csv ? openCsvWriter(join(folder, 'progress.csv'), from.iteration) : null),
    () =>
      choice.tensorboard
        ? openTensorboardWriter(folder, from.numEnvSteps, Date.now(), from.hyperparameters)
        : null,
  ];
  const writers = openers.map((open) => attempt(folder, open)).filter((writer) => writer !== null);
  let pending: MetricsRow[] = [];
  let lost: Error | null = null;
  let flushedAt = Number.NEGATIVE_INFINITY;
  const flush = () => {
    const rows = pending;
    pending = [];
    flushedAt = performance.now();
    try {
      check();
    } catch (error) {
      lost ??= error as Error;
      throw error;
    }
    for (const writer of writers) {
      for (const row of rows) attempt(writer.path, () => writer.write(row));
    }
  };
  return {
    write: (row) => {
      if (lost !== null) throw lost; // found while a checkpoint was written
      pending.push(row);
      if (performance.now() - flushedAt >= FLUSH_MS) flush();
    },
    amend: (late) => {
      flush();
      for (const writer of writers) attempt(writer.path, () => writer.amend(late));
    },
    sync: async () => {
      flush();
      await Promise.all(writers.map((writer) => writer.sync()));
    },
    close: () => {
      try {
        flush();
      } catch {
        // the folder is another process's, which has told whoever wrote to it before
      }
      for (const writer of writers) attempt(writer.path, () => writer.close());
    },
  };
}
