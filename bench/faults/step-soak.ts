/** A run of many steps from the command line, watched from outside: what a user's process takes. Linux only (/proc). */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';

export interface StepSoakOptions {
  /** Arguments of node that train from the command line. */
  readonly train: readonly string[];
  readonly env: string;
  readonly numSteps: number;
  readonly numSamples: number;
  /** Run folder to be made. */
  readonly folder: string;
  readonly onSample: (sample: StepSoakSample) => void;
}

export interface StepSoakSample {
  readonly numEnvSteps: number;
  readonly rssMib: number;
  readonly numThreads: number;
  readonly numFiles: number;
  /** Since the sample before. */
  readonly stepsPerSecond: number;
}

/** 16 environments in 2 workers, one epoch: 4096 steps an iteration, most of the time spent stepping. */
export const STEP_SOAK_FLAGS =
  '--no-tuned --num-env-runners 2 --num-envs 16 --rollout-length 256 --num-epochs 1 --minibatch-size 1024 --evaluation-interval 200 --engine simd --seed 3';

export async function soakSteps(options: StepSoakOptions): Promise<StepSoakSample[]> {
  const { numSteps, numSamples, folder } = options;
  const flags =
    `--env ${options.env} ${STEP_SOAK_FLAGS} --stop-steps ${Math.ceil(1.02 * numSteps)} --json --quiet`.split(
      ' ',
    );
  const child = spawn(process.execPath, [...options.train, ...flags, '--out', folder], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(child, 'exit');
  const samples: StepSoakSample[] = [];
  let last = { numEnvSteps: 0, at: performance.now() };
  try {
    for await (const line of createInterface({ input: child.stdout })) {
      const numEnvSteps: number = JSON.parse(line).numEnvSteps ?? 0;
      const isDue = numEnvSteps >= ((samples.length + 1) * numSteps) / numSamples;
      if (!isDue || samples.length === numSamples || child.pid === undefined) continue;
      const now = performance.now();
      const stepsPerSecond = ((numEnvSteps - last.numEnvSteps) * 1000) / (now - last.at);
      last = { numEnvSteps, at: now };
      samples.push({ numEnvSteps, stepsPerSecond, ...look(child.pid) });
      options.onSample(samples[samples.length - 1]);
    }
  } finally {
    child.kill();
  }
  const [status] = await ended;
  if (status !== 0) throw new Error(`training ended with status ${status}`);
  return samples;
}

function look(pid: number): Pick<StepSoakSample, 'rssMib' | 'numThreads' | 'numFiles'> {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const number = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1]);
  return {
    rssMib: number('VmRSS') / 1024,
    numThreads: number('Threads'),
    numFiles: readdirSync(`/proc/${pid}/fd`).length,
  };
}
