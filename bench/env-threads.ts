/** How environments scale over worker threads: the same rows in each of one thread, of two, in turns. */

import { once } from 'node:events';
import { cpuUsage } from 'node:process';
import { Worker } from 'node:worker_threads';
import { loaderArgv } from '../src/threads/exec-argv.ts';
import { median } from './statistics.ts';

export interface ThreadRates {
  readonly numThreads: number;
  /** Steps per second by the clock, of all threads together. */
  readonly rate: number;
  /** Steps per second of processor time: what threads cost each other, whatever else the machine does. */
  readonly perProcessor: number;
  /** Medians of the rounds' ratios to the first count of threads. */
  readonly overOne: number;
  readonly perProcessorOverOne: number;
}

export interface ThreadTask {
  readonly id: string;
  readonly numEnvs: number;
}

/** What a worker is told: step for so long. It answers how many environment steps that were. */
const SAMPLE_MS = 500;

/** @param counts of threads, the first of which the others are set beside. */
export async function measureThreads(
  id: string,
  counts: readonly number[],
  { numEnvs, numRounds }: { readonly numEnvs: number; readonly numRounds: number },
): Promise<readonly ThreadRates[]> {
  const workers = Array.from({ length: Math.max(...counts) }, () => {
    const workerData: ThreadTask = { id, numEnvs };
    return new Worker(new URL('./env-thread.ts', import.meta.url), {
      workerData,
      execArgv: loaderArgv(),
    });
  });
  await Promise.all(workers.map(answerOf)); // each has stepped until it was compiled
  const samples = counts.map((): { rate: number; perProcessor: number }[] => []);
  for (let round = 0; round < numRounds; round++)
    for (const [k, count] of counts.entries()) samples[k].push(await sample(workers.slice(0, count)));
  await Promise.all(workers.map((worker) => worker.terminate()));
  const over = (k: number, name: 'rate' | 'perProcessor') =>
    median(samples[k].map((one, round) => one[name] / samples[0][round][name]));
  return counts.map((numThreads, k) => ({
    numThreads,
    rate: median(samples[k].map(({ rate }) => rate)),
    perProcessor: median(samples[k].map(({ perProcessor }) => perProcessor)),
    overOne: over(k, 'rate'),
    perProcessorOverOne: over(k, 'perProcessor'),
  }));
}

async function sample(workers: readonly Worker[]) {
  const cpu = cpuUsage();
  const begin = performance.now();
  const answers = workers.map(answerOf);
  for (const worker of workers) worker.postMessage(SAMPLE_MS);
  const numSteps = (await Promise.all(answers)).reduce((sum, steps) => sum + steps, 0);
  const seconds = (performance.now() - begin) / 1000;
  const { user, system } = cpuUsage(cpu);
  return { rate: numSteps / seconds, perProcessor: (numSteps * 1e6) / (user + system) };
}

async function answerOf(worker: Worker): Promise<number> {
  const [numSteps] = await once(worker, 'message'); // throws what the worker throws
  return numSteps;
}
