/** Threads that a contestant's libraries are fastest with, on a short run of workload 1. */
import { cpus } from 'node:os';
import { type ContestantName, commandOf } from './contestants.ts';
import type { Prepared } from './prepare.ts';
import type { Results } from './results.ts';
import { runTask } from './run-task.ts';
import { CARTPOLE_CLEANRL, CARTPOLE_ZOO } from './settings.ts';

/** Those that PyTorch's or JAX' threads serve; PyTorch's update of workload 7 tunes itself. */
export const TUNED: readonly ContestantName[] = ['sb3', 'sbx', 'cleanrl', 'rllib'];

const STEPS = 10_000;
const LIMIT_SECONDS = 40;

export async function tuneThreads(
  name: ContestantName,
  prepared: ReadonlyMap<string, Prepared>,
  steps = STEPS,
): Promise<Results['threads'][string]> {
  const { valueClipRange } = CARTPOLE_CLEANRL; // our PyTorch loop always clips
  const settings = name === 'cleanrl' ? { ...CARTPOLE_ZOO, valueClipRange } : CARTPOLE_ZOO;
  const rest = { seed: 0, evaluate: false, evaluationSeed: 0, limitSeconds: LIMIT_SECONDS };
  const task = { kind: 'train', settings, steps, ...rest } as const;
  const counts = [...new Set([1, cpus().length])];
  const stepsPerSecond: { [count: string]: number } = {};
  for (const count of counts) {
    const { answer } = await runTask(commandOf(name, prepared, count, 0), task, LIMIT_SECONDS * 1000);
    stepsPerSecond[count] = Math.round((answer.envSteps ?? 0) / (answer.seconds ?? Infinity));
  }
  const [chosen] = counts.toSorted((a, b) => stepsPerSecond[b] - stepsPerSecond[a]);
  return { chosen, stepsPerSecond };
}
