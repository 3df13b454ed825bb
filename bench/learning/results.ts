/** What is kept on disk of the learning table: one row per algorithm and environment, one run per seed. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { describeMachine, type Machine } from '../machine.ts';
import type { SeedRun } from './run-seed.ts';

export interface Row {
  readonly algorithm: string;
  readonly env: string;
  /** Of `variants.ts`; absent = the tuned settings. */
  readonly variant?: string;
  readonly threshold: number | null;
  readonly budget: number;
  readonly runs: readonly SeedRun[];
}

export interface LearningResults {
  /** Of the last run. */
  readonly machine: Machine;
  readonly rows: readonly Row[];
}

export function readResults(path: string): LearningResults {
  return existsSync(path)
    ? (JSON.parse(readFileSync(path, 'utf8')) as LearningResults)
    : { machine: describeMachine(), rows: [] };
}

export const isSameRow = (a: Omit<Row, 'runs'>, b: Omit<Row, 'runs'>): boolean =>
  a.algorithm === b.algorithm && a.env === b.env && a.variant === b.variant;

/** Adds one seed's run to what is on disk, in the place of an earlier one. */
export function keepRun(path: string, row: Omit<Row, 'runs'>, run: SeedRun): void {
  const rows = withRun(readResults(path).rows, row, run);
  writeFileSync(path, `${JSON.stringify({ machine: describeMachine(), rows })}\n`);
}

/** Rows and seeds in order; runs of another budget are dropped from their row. */
export function withRun(rows: readonly Row[], row: Omit<Row, 'runs'>, run: SeedRun): readonly Row[] {
  const isSame = (other: Row) => isSameRow(other, row);
  const earlier = rows.find((other) => isSame(other) && other.budget === row.budget)?.runs ?? [];
  const runs = [...earlier.filter(({ seed }) => seed !== run.seed), run].toSorted((a, b) => a.seed - b.seed);
  const changed: Row = { ...row, runs };
  return rows.some(isSame) ? rows.map((other) => (isSame(other) ? changed : other)) : [...rows, changed];
}
