/** One training run of the learning table: its curve, when it passed the threshold, how it ended. */
import type { Algorithm, EvaluationResult } from '../../src/algorithm/algorithm.ts';
import { mean } from '../statistics.ts';

export interface SeedRun {
  readonly seed: number;
  readonly curve: readonly {
    readonly steps: number;
    readonly evaluation: number;
    readonly training: number | null;
  }[];
  /** When the training mean over a full window of 100 episodes reached the threshold; null = never. */
  readonly trainingSolved: Moment | null;
  /** When a mean over 100 greedy episodes did. */
  readonly evaluationSolved: Moment | null;
  /** Returns of 100 greedy episodes on fresh seeds, after the last step. */
  readonly finalReturns: readonly number[];
  readonly envSteps: number;
  /** Of training alone: evaluations are outside of the clock. */
  readonly seconds: number;
}

export interface Moment {
  readonly steps: number;
  readonly seconds: number;
}

const NUM_POINTS = 20;
const WINDOW = 100;
const CURVE_SEED = 20_000;
const FINAL_SEED = 1_000_000;

const evaluate = (algorithm: Algorithm, seed: number): Promise<EvaluationResult> =>
  algorithm.evaluate({ numEpisodes: 100, deterministic: true, seed });

/** Trains for `budget` environment steps; stop conditions of the tuned settings are left out, so that curves have one length. */
export async function runSeed(
  algorithm: Algorithm,
  seed: number,
  budget: number,
  threshold: number | null,
): Promise<SeedRun> {
  const curve: SeedRun['curve'][number][] = [];
  const recent: number[] = [];
  let trainingSolved: Moment | null = null;
  let evaluationSolved: Moment | null = null;
  let seconds = 0;
  let nextPoint = budget / NUM_POINTS;
  while (algorithm.numEnvSteps < budget) {
    const begin = performance.now();
    const { numEnvSteps, episodes } = await algorithm.train();
    seconds += (performance.now() - begin) / 1000;
    recent.push(...episodes.map(({ episodeReturn }) => episodeReturn));
    recent.splice(0, recent.length - WINDOW);
    const isPassed = threshold !== null && recent.length === WINDOW && mean(recent) >= threshold;
    if (isPassed) trainingSolved ??= { steps: numEnvSteps, seconds };
    if (numEnvSteps < nextPoint && numEnvSteps < budget) continue;
    nextPoint += budget / NUM_POINTS;
    const { returnMean } = await evaluate(algorithm, CURVE_SEED);
    curve.push({
      steps: numEnvSteps,
      evaluation: returnMean,
      training: recent.length > 0 ? mean(recent) : null,
    });
    if (threshold !== null && returnMean >= threshold) evaluationSolved ??= { steps: numEnvSteps, seconds };
  }
  const { returns } = await evaluate(algorithm, FINAL_SEED);
  return {
    seed,
    curve,
    trainingSolved,
    evaluationSolved,
    finalReturns: returns,
    envSteps: algorithm.numEnvSteps,
    seconds,
  };
}
