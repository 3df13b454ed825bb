/** Columns of a run's progress.jsonl. */
import { openRegularFile } from '../../files/regular-file.ts';

/** One metric over a run; as many of each. */
export interface Column {
  /** Environment steps at the end of each iteration that has it. */
  readonly steps: number[];
  readonly values: number[];
}

/** By metric key, in the order of first appearance. */
export type Columns = ReadonlyMap<string, Column>;

/** What stands in a row besides metrics. */
const FIXED = new Set(['iteration', 'numEnvSteps', 'numEpisodes', 'timestamp', 'seconds']);

/**
 * Reads the metrics of a run folder, a line at a time: memory is 16 bytes for each number kept. A last line that was cut short ends it.
 *
 * @throws CheckpointError `CHECKPOINT_NOT_REGULAR` for a link or a pipe; the file system's error where there is no progress.jsonl (`jsonl: false`).
 */
export async function readProgress(runFolder: string): Promise<Columns> {
  const columns = new Map<string, Column>();
  const { file } = await openRegularFile(runFolder, 'progress.jsonl', () => undefined);
  try {
    for await (const line of file.readLines()) {
      const row = parseRow(line);
      if (row === null) break;
      addRow(columns, row);
    }
  } finally {
    await file.close();
  }
  return columns;
}

function addRow(columns: Map<string, Column>, row: Row): void {
  for (const [key, value] of Object.entries(row)) {
    if (FIXED.has(key) || typeof value !== 'number') continue;
    let column = columns.get(key);
    if (column === undefined) {
      column = { steps: [], values: [] };
      columns.set(key, column);
    }
    column.steps.push(row.numEnvSteps);
    column.values.push(value);
  }
}

type Row = { readonly [key: string]: unknown; readonly numEnvSteps: number };

function parseRow(line: string): Row | null {
  try {
    const row: unknown = JSON.parse(line);
    const { numEnvSteps } = row as { numEnvSteps?: unknown };
    return typeof numEnvSteps === 'number' ? (row as Row) : null;
  } catch {
    return null;
  }
}
