/** What a contestant's libraries are fastest with: threads, on a short run of workload 1, and OpenBLAS' kernels. */
import { cpus } from 'node:os';
import { median } from '../statistics.ts';
import { type ContestantName, commandOf } from './contestants.ts';
import type { Prepared } from './prepare.ts';
import type { Results } from './results.ts';
import { runTask } from './run-task.ts';
import { CARTPOLE_CLEANRL, CARTPOLE_ZOO, PENDULUM_RLTOOLS } from './settings.ts';

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

const CORES = ['', 'SKYLAKEX', 'HASWELL', 'ZEN'];
const NUM_TRIES = 3;

/**
 * OpenBLAS' choice is not always its fastest set of kernels for small products: on an Emerald Rapids its SAPPHIRERAPIDS took 2.6 times as long as
 * its SKYLAKEX. One that this processor does not run counts as never.
 */
export async function tuneBlas(
  prepared: ReadonlyMap<string, Prepared>,
): Promise<NonNullable<Results['blas']>> {
  const rest = { seed: 0, evaluate: false, evaluationSeed: 0, limitSeconds: LIMIT_SECONDS };
  const task = { kind: 'train', settings: PENDULUM_RLTOOLS, steps: 300_000, ...rest } as const;
  const stepsPerSecond: { [core: string]: number } = {};
  for (const core of CORES) {
    const rates: number[] = [];
    for (let k = 0; k < NUM_TRIES; k++) {
      const command = commandOf('rltools-1', prepared, 1, k, core);
      const { answer } = await runTask(command, task, LIMIT_SECONDS * 1000);
      rates.push((answer.envSteps ?? 0) / (answer.seconds ?? Infinity));
    }
    stepsPerSecond[core] = Math.round(median(rates));
  }
  const [chosen] = CORES.toSorted((a, b) => stepsPerSecond[b] - stepsPerSecond[a]);
  return { chosen, stepsPerSecond };
}
