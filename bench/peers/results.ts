/** What bench/results/peers.json holds. */
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import process from 'node:process';
import { describeMachine, type Machine } from '../machine.ts';
import type { ContestantName } from './contestants.ts';
import type { Costs } from './costs.ts';
import type { Answer } from './task.ts';

/**
 * What a run's record may be used for. Returns do not depend on the machine's load, speed does: `learning` runs may share the machine
 * and give returns alone; `timing` runs want it to themselves and stop as soon as the speed is known (those that must go on to their end
 * are evaluated too); `full` runs are both.
 */
export type Purpose = 'full' | 'timing' | 'learning';
export const PURPOSES: readonly Purpose[] = ['full', 'timing', 'learning'];

export interface RunRecord {
  readonly workload: number;
  readonly contestant: ContestantName;
  readonly variant: string;
  readonly seed: number;
  readonly purpose: Purpose;
  /** Of Operant's sources, whoever ran. */
  readonly commit: string;
  /** What it ran on; returns may come from another machine than speed. */
  readonly cpu: string;
  /** Load average of the last minute when the run began. */
  readonly load: number;
  readonly wallSeconds: number;
  readonly answer: Answer;
}

export interface Results {
  /** Of the last timing or full run. */
  machine: Machine;
  /** What the peers are, or why one is not there. */
  peers: { readonly title: string; readonly versions: string; readonly problem: string | null }[];
  /** Threads of each contestant's libraries, and how they were found. */
  threads: {
    [contestant: string]: { readonly chosen: number; readonly stepsPerSecond: { [count: string]: number } };
  };
  /** Which of OpenBLAS' sets of kernels RLtools is fastest with; '' = OpenBLAS' own choice. */
  blas?: { readonly chosen: string; readonly stepsPerSecond: { [core: string]: number } };
  records: RunRecord[];
  /** Where our own time goes, by workload. */
  costs: { [workload: string]: Costs };
}

export function readResults(path: string): Results {
  const fresh: Results = { machine: describeMachine(), peers: [], threads: {}, records: [], costs: {} };
  return existsSync(path) ? { ...fresh, ...(JSON.parse(readFileSync(path, 'utf8')) as Results) } : fresh;
}

/** Reads again before it writes, so that two commands can add to one file. */
export function changeResults(path: string, change: (results: Results) => void): void {
  const results = readResults(path);
  change(results);
  const beside = `${path}.${process.pid}`;
  writeFileSync(beside, `${JSON.stringify(results)}\n`);
  renameSync(beside, path);
}

/** Adds a record in place of an earlier one of the same run. */
export function keepRecord(results: Results, record: RunRecord): void {
  const keys = ['workload', 'contestant', 'variant', 'seed', 'purpose'] as const;
  const isSame = (other: RunRecord) => keys.every((key) => other[key] === record[key]);
  results.records = [...results.records.filter((other) => !isSame(other)), record];
}
