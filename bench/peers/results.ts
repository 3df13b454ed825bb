/** What bench/results/peers.json holds. */
import type { Machine } from '../machine.ts';
import type { ContestantName } from './contestants.ts';
import type { Answer } from './task.ts';

export interface RunRecord {
  readonly workload: number;
  readonly contestant: ContestantName;
  readonly variant: string;
  readonly seed: number;
  readonly load: number;
  readonly wallSeconds: number;
  readonly answer: Answer;
}

export interface Results {
  machine: Machine;
  /** What the peers are, or why one is not there. */
  peers: { readonly title: string; readonly versions: string; readonly problem: string | null }[];
  /** Threads of each contestant's libraries, and how they were found. */
  threads: {
    [contestant: string]: { readonly chosen: number; readonly stepsPerSecond: { [count: string]: number } };
  };
  records: RunRecord[];
}
