/** One training run of the learning table: its curve, when it passed the threshold, how it ended. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { Algorithm as anyAlgorithm } from '../../algorithms/from-checkpoint.ts';
import type { Algorithm } from '../../src/algorithm/algorithm.ts';
import { load } from '../machine.ts';
import { deviation, mean } from '../statistics.ts';
import type { Reference } from './reference.ts';

export interface SeedRun {
  readonly seed: number;
  readonly commit: string;
  /** Load average of the machine at the beginning and at the end. */
  readonly load: readonly [number, number];
  readonly curve: readonly {
    readonly steps: number;
    readonly evaluation: number;
    readonly training: number | null;
  }[];
  /** When the training mean over a full window of 100 episodes reached the threshold; null = never. */
  readonly trainingSolved: Moment | null;
  /** When a greedy mean did. */
  readonly evaluationSolved: Moment | null;
  /** Of greedy episodes on fresh seeds, after the last step. */
  readonly final: { readonly mean: number; readonly std: number; readonly numEpisodes: number };
  readonly envSteps: number;
  /** Of training alone: evaluations are outside of the clock. */
  readonly seconds: number;
  /** Processor time of all threads in the same stretches. */
  readonly cpuSeconds: number;
}

export interface Moment {
  readonly steps: number;
  readonly seconds: number;
}

export interface SeedTask {
  readonly seed: number;
  /** Environment steps. Stop conditions of the tuned settings are left out, so that curves have one length. */
  readonly budget: number;
  readonly threshold: number | null;
  readonly reference: Reference | undefined;
}

const NUM_POINTS = 20;
const WINDOW = 100;
const CURVE_SEED = 20_000;
const FINAL_SEED = 1_000_000;

/** Trains to the end of the budget and stops the algorithm. */
export async function runSeed(algorithm: Algorithm, task: SeedTask): Promise<Omit<SeedRun, 'commit'>> {
  const { seed, budget, threshold, reference } = task;
  const numEpisodes = reference?.numEpisodes ?? 100;
  const look = {
    numEpisodes: reference?.numCurveEpisodes ?? numEpisodes,
    deterministic: true,
    seed: CURVE_SEED,
  };
  const curve: SeedRun['curve'][number][] = [];
  const recent: number[] = [];
  const firstLoad = load();
  const clock = startClock();
  let trainingSolved: Moment | null = null;
  let evaluationSolved: Moment | null = null;
  let nextPoint = budget / NUM_POINTS;
  while (algorithm.numEnvSteps < budget) {
    const { numEnvSteps: steps, episodes } = await clock.time(() => algorithm.train());
    recent.push(...episodes.map(({ episodeReturn }) => episodeReturn));
    recent.splice(0, recent.length - WINDOW);
    const isPassed = threshold !== null && recent.length === WINDOW && mean(recent) >= threshold;
    if (isPassed) trainingSolved ??= { steps, seconds: clock.seconds };
    if (steps < nextPoint && steps < budget) continue;
    nextPoint += budget / NUM_POINTS;
    const { returnMean } = await algorithm.evaluate(look);
    curve.push({ steps, evaluation: returnMean, training: recent.length > 0 ? mean(recent) : null });
    if (threshold !== null && returnMean >= threshold) evaluationSolved ??= { steps, seconds: clock.seconds };
  }
  const scores = (await finalReturns(algorithm, numEpisodes, reference)).map(reference?.score?.of ?? Number);
  await algorithm.stop();
  const { seconds, cpuSeconds } = clock;
  return {
    seed,
    load: [firstLoad, load()],
    curve,
    trainingSolved,
    evaluationSolved,
    final: { mean: mean(scores), std: deviation(scores), numEpisodes },
    envSteps: algorithm.numEnvSteps,
    seconds,
    cpuSeconds,
  };
}

/** On the environment as it was trained on, or, by way of a checkpoint, on the reference's other one. */
async function finalReturns(
  algorithm: Algorithm,
  numEpisodes: number,
  reference: Reference | undefined,
): Promise<readonly number[]> {
  const options = { numEpisodes, deterministic: true, seed: FINAL_SEED };
  if (reference?.finalEnvOptions === undefined) return (await algorithm.evaluate(options)).returns;
  const folder = await mkdtemp(join(tmpdir(), 'operant-learning-'));
  try {
    const other = await anyAlgorithm.fromCheckpoint(await algorithm.save(join(folder, 'checkpoint')), {
      environment: { envOptions: reference.finalEnvOptions },
    });
    const { returns } = await other.evaluate(options);
    await other.stop();
    return returns;
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** Wall and processor time of what is run through it. */
function startClock() {
  const clock = {
    seconds: 0,
    cpuSeconds: 0,
    async time<T>(work: () => Promise<T>): Promise<T> {
      const cpu = process.cpuUsage();
      const begin = performance.now();
      const result = await work();
      clock.seconds += (performance.now() - begin) / 1000;
      const { user, system } = process.cpuUsage(cpu);
      clock.cpuSeconds += (user + system) / 1e6;
      return result;
    },
  };
  return clock;
}
