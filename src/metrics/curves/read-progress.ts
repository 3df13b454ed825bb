/** Columns of a run's progress.jsonl. */
import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

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
 * @throws the file system's error where there is no progress.jsonl (`jsonl: false`).
 */
export async function readProgress(runFolder: string): Promise<Columns> {
  const columns = new Map<string, Column>();
  const lines = createInterface({ input: createReadStream(join(runFolder, 'progress.jsonl')) });
  for await (const line of lines) {
    const row = parseRow(line);
    if (row === null) break;
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
  return columns;
}

function parseRow(line: string): { readonly [key: string]: unknown; readonly numEnvSteps: number } | null {
  try {
    const row: unknown = JSON.parse(line);
    const { numEnvSteps } = row as { numEnvSteps?: unknown };
    return typeof numEnvSteps === 'number' ? (row as { numEnvSteps: number }) : null;
  } catch {
    return null;
  }
}
