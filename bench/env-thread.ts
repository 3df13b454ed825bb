/** A worker thread of `env-threads.ts`: steps environments for as long as it is told. */
import { parentPort, workerData } from 'node:worker_threads';
import { registerShippedEnvs } from '../envs/index.ts';
import { resolveEnv } from '../src/env/env-source.ts';
import { makeVectorEnv } from '../src/env/load-env.ts';
import { openRandomSteps } from './env-steps.ts';
import type { ThreadTask } from './env-threads.ts';

const { id, numEnvs } = workerData as ThreadTask;
registerShippedEnvs();
const step = openRandomSteps(await makeVectorEnv(resolveEnv(id), numEnvs));

/** @returns how many environment steps were taken. */
function stepFor(ms: number): number {
  let numSteps = 0;
  for (const end = performance.now() + ms; performance.now() < end; numSteps += numEnvs) step(1);
  return numSteps;
}

stepFor(1000); // until V8 has compiled it
parentPort?.on('message', (ms: number) => parentPort?.postMessage(stepFor(ms)));
parentPort?.postMessage(0);
