/** A long run and what it uses, sampled. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { PPOConfig } from '../../src/index.ts';
import { createRunFolder } from '../../src/run/run-folder.ts';
import { runTraining } from '../../src/run/train-run.ts';
import { median } from '../statistics.ts';

export interface SoakOptions {
  readonly env: string;
  readonly engine: 'simd' | 'tensorflow';
  readonly seconds: number;
  /** Run folder to be made. */
  readonly folder: string;
}

/** After an iteration and a full garbage collection. */
export interface SoakSample {
  readonly iteration: number;
  readonly rssMib: number;
  readonly heapMib: number;
  readonly arrayBuffersMib: number;
  /** What keeps the event loop alive: timers, files, threads, ports. */
  readonly numResources: number;
  /** Median wall time of an iteration since the sample before. */
  readonly iterationMs: number;
}

const NUM_SAMPLES = 60;
const MIB = 2 ** 20;

/** Everything that a run can do is switched on: workers, normalisation, evaluation, checkpoints with retention, all logs. */
export async function soak({ env, engine, seconds, folder }: SoakOptions): Promise<SoakSample[]> {
  const collectGarbage = exposedGarbageCollector();
  const samples: SoakSample[] = [];
  const algorithm = await new PPOConfig()
    .environment(env)
    .envRunners({
      numEnvRunners: 2,
      numEnvs: 8,
      rolloutLength: 64,
      normalizeObservations: true,
      normalizeRewards: true,
    })
    .training({ numEpochs: 4, minibatchSize: 64 })
    .learners({ engine })
    .evaluation({ evaluationInterval: 10, evaluationEpisodes: 2 })
    .build();
  const runFolder = await createRunFolder(folder, algorithm.config);
  let times: number[] = [];
  let nextSampleAt = 0;
  try {
    await runTraining(
      algorithm,
      {
        folder: runFolder,
        ...{ stopReturn: null, stopSteps: null, stopSeconds: seconds, stopIterations: null },
        ...{ stopProcessSeconds: null, stopEvaluationReturn: null, stopEvaluationPatience: null },
        ...{ checkpointEvery: 5, checkpointSeconds: null, keepCheckpoints: 3, metricsWindow: 100 },
        ...{ jsonl: true, csv: true, tensorboard: true, handleSignals: false },
      },
      {
        callbacks: [
          {
            onIterationEnd: ({ result, secondsHere }) => {
              times.push(result.metrics['time/iterationMs']);
              if (secondsHere < nextSampleAt) return;
              nextSampleAt = secondsHere + seconds / NUM_SAMPLES;
              collectGarbage();
              const { rss, heapUsed, arrayBuffers } = process.memoryUsage();
              samples.push({
                iteration: result.iteration,
                rssMib: rss / MIB,
                heapMib: heapUsed / MIB,
                arrayBuffersMib: arrayBuffers / MIB,
                numResources: process.getActiveResourcesInfo().length,
                iterationMs: median(times),
              });
              times = [];
            },
          },
        ],
      },
    );
  } finally {
    await algorithm.stop();
    await runFolder.close();
  }
  return samples;
}

function exposedGarbageCollector(): () => void {
  setFlagsFromString('--expose-gc');
  return runInNewContext('gc');
}

/** What may differ between the second and the last quarter of a run; the first quarter is warm-up. */
const BOUNDS = [
  {
    quantity: 'rssMib',
    unit: 'MiB',
    isAllowed: (before: number, after: number) => after <= before * 1.05 + 8,
  },
  {
    quantity: 'heapMib',
    unit: 'MiB',
    isAllowed: (before: number, after: number) => after <= before * 1.05 + 2,
  },
  {
    quantity: 'arrayBuffersMib',
    unit: 'MiB',
    isAllowed: (before: number, after: number) => after <= before * 1.05 + 1,
  },
  {
    quantity: 'numResources',
    unit: 'handles',
    isAllowed: (before: number, after: number) => after <= before + 2,
  },
  {
    quantity: 'iterationMs',
    unit: 'ms',
    isAllowed: (before: number, after: number) => after <= before * 1.25,
  },
] as const;

/** Compares medians of the second and the last quarter of the samples. */
export function judgeSoak(
  samples: readonly SoakSample[],
  ignored: readonly (keyof SoakSample)[] = [],
): { readonly lines: string[]; readonly isFlat: boolean } {
  const quarter = Math.floor(samples.length / 4);
  const second = samples.slice(quarter, 2 * quarter);
  const last = samples.slice(-quarter);
  let isFlat = quarter > 0;
  const lines = BOUNDS.filter(({ quantity }) => !ignored.includes(quantity)).map(
    ({ quantity, unit, isAllowed }) => {
      const [before, after] = [second, last].map((part) => median(part.map((sample) => sample[quantity])));
      const isFine = isAllowed(before, after);
      isFlat &&= isFine;
      return `${quantity}: ${before.toFixed(1)} -> ${after.toFixed(1)} ${unit} ${isFine ? '' : '(grew)'}`.trimEnd();
    },
  );
  return { lines, isFlat };
}
