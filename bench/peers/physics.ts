/** Workloads 21 and 22. */
import { cpus } from 'node:os';
import { type Entry, entry } from './entries.ts';
import type { Settings } from './settings.ts';
import type { TrainTask } from './task.ts';

const NUM_STEPS = 1_000_000;
/** Whole runs of Stable-Baselines3's were not made yet. */
const LIMIT_SECONDS = 3600;

/**
 * PPO with the settings of our learning table on both sides. Whether PyTorch's threads help depends on the width of the networks, so theirs
 * runs with one and with one for each core.
 *
 * @param timingSeconds after which a timing round has our speed; Infinity = our runs go to their end there, too
 */
export function physics(
  settings: Settings,
  seed: number,
  { timingSeconds }: { readonly timingSeconds: number },
): readonly Entry[] {
  const evaluationSeed = 10_000 + 1000 * seed;
  const task: TrainTask = {
    ...{ kind: 'train', settings, steps: NUM_STEPS, seed },
    ...{ evaluate: true, evaluationSeed },
  };
  const theirs = { ...entry('sb3-physics', task, LIMIT_SECONDS), timingSeconds: 45 };
  return [
    { ...entry('operant', task, LIMIT_SECONDS), timingSeconds },
    { ...theirs, variant: 'one thread', numThreads: 1 },
    { ...theirs, variant: 'a thread a core', numThreads: cpus().length, isSpeedOnly: true },
  ];
}
