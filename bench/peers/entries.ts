/** What a contestant does in a round, and what of it a round's purpose needs. */
import type { ContestantName } from './contestants.ts';
import type { Purpose } from './results.ts';
import type { AppoTask, OffPolicyTask, Task, TrainTask } from './task.ts';

export interface Entry {
  readonly contestant: ContestantName;
  /** Distinguishes tasks of one contestant within a workload: `64 rows`, `width 128`. */
  readonly variant: string;
  readonly task: Task;
  /** Ended after this; a training run that ends so still gives steps/s. */
  readonly limitSeconds: number;
  /** Timing rounds stop here already: by then its steps/s is known. */
  readonly timingSeconds?: number;
  /** Of no use for returns. */
  readonly isSpeedOnly?: boolean;
  /** One thread, and held to one core where the system can. */
  readonly isOneCore?: boolean;
  /** Of the contestant's libraries, in place of as many as were found to be fastest. */
  readonly numThreads?: number;
}

/** Environment steps of a run that only shows that everything runs. */
export const FEW = 10_000;

export const entry = (contestant: ContestantName, task: Task, limitSeconds = 900, variant = ''): Entry => ({
  contestant,
  variant,
  task,
  limitSeconds,
});

const LEARNING_PATIENCE = 10;

const isTraining = (task: Task): task is TrainTask | OffPolicyTask | AppoTask =>
  task.kind === 'train' || task.kind === 'off-policy' || task.kind === 'appo';

/** The entries of a round that serve its purpose, as long as it needs them to be. */
export function entriesFor(purpose: Purpose, entries: readonly Entry[]): readonly Entry[] {
  if (purpose === 'full') return entries;
  return entries.flatMap((found): Entry[] => {
    const { task, timingSeconds = Infinity, limitSeconds } = found;
    if (task.kind === 'memory') return purpose === 'learning' ? [found] : [];
    if (purpose === 'learning') {
      if (!isTraining(task) || !task.evaluate || found.isSpeedOnly) return [];
      const patient = limitSeconds * LEARNING_PATIENCE;
      return [{ ...found, task: { ...task, limitSeconds: patient }, limitSeconds: patient }];
    }
    if (!isTraining(task)) return [found]; // several agents, too: how long they run is theirs to say
    if (timingSeconds === Infinity) return [found];
    const bound = Math.min(task.limitSeconds ?? limitSeconds, timingSeconds);
    return [{ ...found, task: { ...task, evaluate: false, limitSeconds: bound } }];
  });
}

/** A short form of an entry, to see that everything runs. */
export function shorten(short: Entry): Entry {
  const { task } = short;
  if (task.kind === 'train' || task.kind === 'solve')
    return { ...short, task: { ...task, steps: Math.min(task.steps, FEW), limitSeconds: 20 } };
  if (task.kind === 'agents')
    return { ...short, task: { ...task, steps: Math.min(task.steps, FEW / 5), limitSeconds: 120 } };
  if (task.kind === 'off-policy') {
    const steps = Math.min(task.steps, FEW / 5);
    return { ...short, task: { ...task, steps, limitSeconds: 60 }, limitSeconds: 60 };
  }
  if (task.kind === 'appo')
    return {
      ...short,
      task: { ...task, steps: Math.min(task.steps, FEW), limitSeconds: 60 },
      limitSeconds: 60,
    };
  if (task.kind === 'tune') return { ...short, task: { ...task, steps: FEW - (FEW % 8) } };
  if (task.kind === 'memory') return { ...short, task: { ...task, marks: [20_000, 40_000] } };
  return task.kind === 'update' ? { ...short, task: { ...task, seconds: 0.5 } } : short;
}
