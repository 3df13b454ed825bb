/** What every writer of metrics is, and the row it writes. */

/** One iteration, flat. Keys besides the fixed ones are metric keys. */
export interface MetricsRow {
  readonly iteration: number;
  readonly numEnvSteps: number;
  readonly numEpisodes: number;
  /** Training time of the whole run so far, over all its resumes. */
  readonly seconds: number;
  /** Milliseconds since 1970, when the iteration ended. */
  readonly timestamp: number;
  readonly metrics: Readonly<Record<string, number>>;
}

/** What is measured of an iteration after its row was written: an evaluation that a signal had cut. */
export type LateMetrics = Pick<MetricsRow, 'iteration' | 'numEnvSteps' | 'timestamp' | 'metrics'>;

/** The fixed columns, in this order. */
export const ROW_FIELDS = ['iteration', 'numEnvSteps', 'numEpisodes', 'seconds', 'timestamp'] as const;

/**
 * Appends rows to a file of the run folder.
 *
 * A row reaches the operating system before `write` returns, so a killed process loses none. A failing write (a full disk) throws
 * and takes its half row back: the file stays whole.
 */
export interface MetricsWriter {
  /** For messages. */
  readonly path: string;
  write(row: MetricsRow): void;
  /** Adds metrics to the last row, where that is of their iteration: a log that was moved away meanwhile stays without them. */
  amend(late: LateMetrics): void;
  /** Forces what was written to the disk: called before a checkpoint counts on it. */
  sync(): Promise<void>;
  close(): void;
}

/** A row from its flat form. */
export function rowFrom(flat: Readonly<Record<string, number>>): MetricsRow {
  const { iteration, numEnvSteps, numEpisodes, seconds, timestamp, ...metrics } = flat;
  return { iteration, numEnvSteps, numEpisodes, seconds, timestamp, metrics };
}

export function rowOf(
  { iteration, numEnvSteps, numEpisodes, metrics }: Omit<MetricsRow, 'seconds' | 'timestamp'>,
  seconds: number,
  timestamp: number,
): MetricsRow {
  return { iteration, numEnvSteps, numEpisodes, seconds, timestamp, metrics };
}
