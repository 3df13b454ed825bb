/** Workload 19. */
import { type Entry, entry } from './entries.ts';
import type { TuneTask } from './task.ts';

const NUM_STEPS = 8 * 20_480;

/** Trials of our own trainings, so that what differs is what runs them. */
export function tuning(seed: number): readonly Entry[] {
  const task: TuneTask = { kind: 'tune', steps: NUM_STEPS, how: 'study', seed };
  return [
    entry('operant', task, 900, 'a study'),
    entry('operant', { ...task, how: 'pool' }, 900, 'the commands from a bare pool'),
    entry('ray-tune', task, 900, 'around the same commands'),
  ];
}
