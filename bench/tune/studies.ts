/** Whole studies of PPO: what searchers and schedulers find, judged on seeds that no trial had. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { choice, int, logUniform, type Tuner, type TunerOptions, uniform } from '../../src/index.ts';
import { quartiles, type Section } from './report.ts';

export function configOf(env: 'CartPole-v1' | 'Pendulum-v1') {
  return {
    environment: { env },
    // Pendulum's returns are in the thousands: critics of default settings learn them when scaled
    envRunners: { numEnvs: 8, rolloutLength: 32, normalizeRewards: env === 'Pendulum-v1' },
    reporting: { metricsWindow: 20 },
  };
}

/** Once, after the last iteration, with episodes enough to tell settings apart. */
function evaluateAtEnd(trialSteps: number) {
  const evaluationInterval = trialSteps / (8 * 32);
  return { evaluation: { evaluationInterval, evaluationEpisodes: 100 } };
}

export const COMMON = {
  algorithm: 'ppo',
  tuned: false,
  config: configOf('CartPole-v1'),
  finalSeeds: 5,
} as const;
export const SPACE = {
  learningRate: logUniform(1e-5, 1e-1),
  gamma: uniform(0.9, 1),
  gaeLambda: uniform(0.8, 1),
  clipRange: choice([0.1, 0.2, 0.3, 0.4]),
  entropyCoeff: logUniform(1e-8, 0.1),
  numEpochs: int(1, 20),
  minibatchSize: choice([32, 64, 128, 256]),
};

/** How the studies are run: nothing of it changes what comes out. */
export interface StudyRuns {
  readonly numStudies: number;
  /** Seed of the first one; the others follow. */
  readonly firstStudy: number;
  /** Of the sources, or of the package in dist/, whose processes start sooner. */
  readonly Tuner: typeof Tuner;
  readonly parallel: number;
}

interface Variant {
  readonly name: string;
  readonly options: Pick<TunerOptions, 'space' | 'trialSteps'> & Partial<TunerOptions>;
}

/** What searchers find, and schedulers save. */
export function compareStudies(runs: StudyRuns): Promise<Section> {
  const options = { space: SPACE, numTrials: 30, trialSteps: 8_192, searcher: 'random' };
  const early = { ...options, gracePeriod: 512, reductionFactor: 4 } as const;
  return compare(
    `PPO, CartPole-v1: ${runs.numStudies} studies of 30 trials of 8,192 steps, schedulers from 512 steps on`,
    runs,
    [
      { name: 'random', options },
      { name: 'tpe', options: { ...options, searcher: 'tpe' } },
      { name: 'random, asha', options: { ...early, scheduler: 'asha' } },
      { name: 'random, asha-promote', options: { ...early, scheduler: 'asha-promote' } },
      { name: 'random, hyperband', options: { ...early, scheduler: 'hyperband' } },
    ],
  );
}

/** A task, and what a trial of it is. */
interface Task {
  readonly env: 'CartPole-v1' | 'Pendulum-v1';
  readonly trialSteps: number;
  readonly seedsPerTrial: number;
  readonly metric?: 'evaluation';
}

const TASKS = {
  cartpole: { env: 'CartPole-v1', trialSteps: 8_192, seedsPerTrial: 1 },
  pendulum: { env: 'Pendulum-v1', trialSteps: 16_384, seedsPerTrial: 1 },
  // greedy episodes after the last step, in place of the last twenty of training
  'pendulum-evaluation': {
    env: 'Pendulum-v1',
    trialSteps: 16_384,
    seedsPerTrial: 1,
    metric: 'evaluation',
  },
  // among settings that learn, one seed's score says more of the seed than of them (bench/results/tune.md)
  'pendulum-seeds': { env: 'Pendulum-v1', trialSteps: 24_576, seedsPerTrial: 2 },
} as const satisfies Readonly<Record<string, Task>>;

/** Random draws and TPE at equal steps, with trials enough for one to learn from the others. */
export function compareTpe(name: keyof typeof TASKS, runs: StudyRuns): Promise<Section> {
  const { env, ...budget }: Task = TASKS[name];
  const isEvaluated = budget.metric === 'evaluation';
  const config = { ...configOf(env), ...(isEvaluated ? evaluateAtEnd(budget.trialSteps) : {}) };
  const options = { space: SPACE, numTrials: 60, ...budget, config };
  const length = `${budget.trialSteps} steps${budget.seedsPerTrial === 1 ? '' : ` on each of ${budget.seedsPerTrial} seeds`}`;
  const judged = isEvaluated ? ', judged by 100 greedy episodes at their end' : '';
  return compare(`PPO, ${env}: ${runs.numStudies} studies of 60 trials of ${length}${judged}`, runs, [
    { name: 'random', options: { ...options, searcher: 'random' } },
    { name: 'tpe', options: { ...options, searcher: 'tpe' } },
  ]);
}

/** A schedule beside the best of as many constants, from the same beginnings. */
export function comparePbt(runs: StudyRuns): Promise<Section> {
  const space = { learningRate: logUniform(1e-5, 1e-1), entropyCoeff: logUniform(1e-5, 0.1) };
  const options = { space, numTrials: 8, trialSteps: 32_768, searcher: 'random' };
  return compare(`PBT on PPO, CartPole-v1: ${runs.numStudies} studies of 8 trials of 32,768 steps`, runs, [
    {
      name: 'pbt, every 2,048 steps',
      options: { ...options, scheduler: 'pbt', perturbationInterval: 2_048 },
    },
    { name: 'none', options },
  ]);
}

/** As {@link comparePbt}, where a hand-written schedule is better than every constant: falls are worth their lesson at first alone. */
export function comparePbtOnCliff(runs: StudyRuns): Promise<Section> {
  const space = { learningRate: logUniform(3e-4, 3e-2), entropyCoeff: logUniform(1e-4, 0.3) };
  const config = { ...COMMON.config, environment: { env: 'CliffWalking-v1', maxEpisodeSteps: 200 } };
  const options = { space, config, numTrials: 8, trialSteps: 32_768, searcher: 'random' };
  const title = `PBT on PPO, CliffWalking-v1: ${runs.numStudies} studies of 8 trials of 32,768 steps`;
  return compare(title, runs, [
    {
      name: 'pbt, every 4,096 steps',
      options: { ...options, scheduler: 'pbt', perturbationInterval: 4_096 },
    },
    { name: 'none', options },
  ]);
}

async function compare(title: string, runs: StudyRuns, variants: readonly Variant[]): Promise<Section> {
  return sectionOf(title, await runStudies(title, runs, variants));
}

/** By study. */
export interface VariantResult {
  readonly name: string;
  readonly finals: number[];
  readonly steps: number[];
}

async function runStudies(
  title: string,
  runs: StudyRuns,
  variants: readonly Variant[],
): Promise<readonly VariantResult[]> {
  const folder = mkdtempSync(join(tmpdir(), 'operant-bench-tune-'));
  const results = variants.map(({ name }): VariantResult => ({ name, finals: [], steps: [] }));
  try {
    for (let seed = runs.firstStudy; seed < runs.firstStudy + runs.numStudies; seed++) {
      for (const [k, { options }] of variants.entries()) {
        const out = join(folder, `${k}-${seed}`);
        const { parallel } = runs;
        const { final, trials } = await new runs.Tuner({ ...COMMON, ...options, seed, out, parallel }).fit();
        results[k].finals.push(final?.mean ?? Number.NaN);
        const { seedsPerTrial = 1 } = options;
        results[k].steps.push(seedsPerTrial * trials.reduce((sum, { numSteps }) => sum + numSteps, 0));
        process.stderr.write(`${title.split(':')[0]}, seed ${seed}, ${variants[k].name}: ${final?.mean}\n`);
        rmSync(out, { recursive: true, force: true });
      }
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return results;
}

export function sectionOf(title: string, results: readonly VariantResult[]): Section {
  return {
    title,
    head: [
      '',
      'mean return of the best on 5 new seeds: median of studies',
      'each',
      'steps of a study, median',
    ],
    rows: results.map(({ name, finals, steps }) => {
      const all = finals.map((value) => value.toFixed(0));
      return [name, quartiles(finals, 1)[0], all.join(', '), quartiles(steps, 0)[0]];
    }),
    note: '',
  };
}
