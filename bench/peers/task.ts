/** What a contestant is asked to do, in one process, and what it answers on its last line of standard output. */
import type { AppoSettings } from './appo-settings.ts';
import type { OffPolicySettings } from './off-policy-settings.ts';
import type { Settings } from './settings.ts';

export interface TrainTask {
  readonly kind: 'train' | 'solve';
  readonly settings: Settings;
  /** Environment steps at most. */
  readonly steps: number;
  readonly seed: number;
  /** Evaluate 100 greedy episodes afterwards, outside of the clock. */
  readonly evaluate: boolean;
  readonly evaluationSeed: number;
  /** Contestants that would take for ever end here; their steps/s counts, their returns do not. */
  readonly limitSeconds?: number;
  readonly numWorkers?: number;
  /** Workload 4: stop when the training mean reaches this. */
  readonly stopReturn?: number;
  /** Workload 5: a greedy mean of 100 episodes, looked at once the training mean is above `checkAbove`. */
  readonly target?: number;
  readonly checkAbove?: number;
  readonly checkEvery?: number;
  /** The contestant's own tuned settings instead of `settings`. */
  readonly tuned?: boolean;
}

/** Workloads 10 to 14: one environment, a replay buffer. */
export interface OffPolicyTask {
  readonly kind: 'off-policy';
  readonly settings: OffPolicySettings;
  readonly steps: number;
  readonly seed: number;
  /** Evaluate 100 greedy episodes afterwards, outside of the clock. */
  readonly evaluate: boolean;
  readonly evaluationSeed: number;
  readonly limitSeconds?: number;
  /** Ours: no threads but the main one. */
  readonly oneThread?: boolean;
  /** Workload 13, ours: tuned settings until two greedy means in a row reach this. */
  readonly heldReturn?: number;
}

/** Workload 20. */
export interface AppoTask {
  readonly kind: 'appo';
  readonly settings: AppoSettings;
  /** Ours; the others take what is ready. */
  readonly lag: number | 'free';
  readonly steps: number;
  readonly seed: number;
  /** Evaluate 100 greedy episodes afterwards, outside of the clock. */
  readonly evaluate: boolean;
  readonly evaluationSeed: number;
  readonly limitSeconds?: number;
}

/** Workloads 16 to 18: eight games of several agents, one policy for all of them; nothing is judged but speed. */
export interface AgentsTask {
  readonly kind: 'agents';
  /** As bench/agents/zoo_peer.py calls it. */
  readonly game: 'tic-tac-toe' | 'connect-four' | 'simple-spread';
  /** Ours: the environment. */
  readonly env: string;
  readonly numEnvs: number;
  readonly rolloutLength: number;
  /** Agents that act in a step of a game. */
  readonly numActing: number;
  /** Of agents. */
  readonly steps: number;
  readonly seed: number;
  readonly limitSeconds?: number;
}

/** Workload 19: trials of 20,480 steps of CartPole, two at a time. */
export interface TuneTask {
  readonly kind: 'tune';
  /** Of all trials. */
  readonly steps: number;
  /** Ours: a study, or its trials' commands from a pool that does nothing else. */
  readonly how: 'study' | 'pool';
  readonly seed: number;
}

/** Workload 7. */
export interface UpdateTask {
  readonly kind: 'update';
  readonly network: 'mlp' | 'conv';
  readonly rows: number;
  readonly compiled: boolean;
  readonly seconds: number;
  readonly seed: number;
}

/** Workload 8. */
export interface InferTask {
  readonly kind: 'infer';
  /** PyTorch's: with torch.compile. */
  readonly compiled: boolean;
  readonly settings: Settings;
  readonly seed: number;
}

/** Workload 6, ours: resident memory at two points of one long run. */
export interface MemoryTask {
  readonly kind: 'memory';
  readonly settings: Settings;
  readonly marks: readonly number[];
  readonly seed: number;
}

export type Task =
  | TrainTask
  | OffPolicyTask
  | AppoTask
  | AgentsTask
  | TuneTask
  | UpdateTask
  | InferTask
  | MemoryTask;

/** Seconds unless named otherwise. */
export interface Answer {
  /** Of the training loop alone. */
  readonly seconds?: number;
  /** Processor time of all threads in the same stretch, in workload 20 of all processes, where a contestant tells it. */
  readonly cpuSeconds?: number;
  /** From process start to the training loop. */
  readonly ready?: number;
  /** From process start to the end of training. */
  readonly sinceStart?: number;
  readonly envSteps?: number;
  readonly returns?: readonly number[];
  readonly reached?: { readonly seconds: number; readonly envSteps: number } | null;
  readonly solved?: boolean;
  readonly confirmed?: number | null;
  /** Workload 7: milliseconds of each update. */
  readonly times?: readonly number[];
  /** Workload 8: microseconds of each call. */
  readonly single?: readonly number[];
  readonly batch?: readonly number[];
  /** Workload 6: MiB at each mark. */
  readonly residentMib?: readonly number[];
  readonly peakMib?: number;
  /** What ran, where that is not obvious. */
  readonly note?: string;
  readonly error?: string;
}
