/** Workload 20. */
import { APPO_CARTPOLE } from './appo-settings.ts';
import { type Entry, entry } from './entries.ts';
import type { AppoTask } from './task.ts';

const NUM_STEPS = 200_000;
/** By then their steps/s is known: both take 10 s and more to start. */
const TIMING_SECONDS = 45;

/** Two workers each, besides whoever learns; ours with a lag that makes a run repeatable, and with the free one that the others have. */
export function asynchronous(seed: number): readonly Entry[] {
  const task: AppoTask = {
    ...{ kind: 'appo', settings: APPO_CARTPOLE, lag: 'free', steps: NUM_STEPS, seed },
    ...{ evaluate: true, evaluationSeed: 10_000 + 1000 * seed },
  };
  const theirs = (['sample-factory', 'rllib'] as const).map((name) => ({
    ...entry(name, task),
    timingSeconds: TIMING_SECONDS,
  }));
  return [
    entry('operant', { ...task, lag: 1 }, 900, 'lag 1'),
    entry('operant', task, 900, 'lag free'),
    ...theirs,
  ];
}
