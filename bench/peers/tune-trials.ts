/** Workload 19's contestants: `tune-trials.ts TASK PYTHON`; without a Python it is ours. What is timed are processes that this one starts. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { NUM_TRIALS, runPool, runStudy, runUnderRay, trialCommands } from '../tune/trials.ts';
import type { Answer, TuneTask } from './task.ts';

const { steps, how } = JSON.parse(process.argv[2]) as TuneTask;
const python: string | undefined = process.argv[3];
const cli = [fileURLToPath(new URL('../../dist/src/cli/main.js', import.meta.url))];
const numSteps = steps / NUM_TRIALS;
const folder = mkdtempSync(join(tmpdir(), 'operant-bench-tuning-'));

async function answer(): Promise<Answer> {
  if (python !== undefined) {
    const ray = await runUnderRay(python, trialCommands(cli, numSteps, folder), join(folder, 'storage'));
    if (ray === null) return { error: 'it ended with an error' };
    const note = `and ${ray.init.toFixed(1)} s of ray.init`;
    return { seconds: ray.elapsed, cpuSeconds: ray.cpu, envSteps: steps, note };
  }
  const cost =
    how === 'study'
      ? await runStudy(cli, numSteps, join(folder, 'study'))
      : await runPool(trialCommands(cli, numSteps, folder));
  return { seconds: cost.elapsed, cpuSeconds: cost.cpu, envSteps: steps };
}

try {
  process.stdout.write(`${JSON.stringify(await answer())}\n`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
