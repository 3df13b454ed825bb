/** How much of a seed's score is the draw's: random draws on several seeds, looked at on their way. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readProgress } from '../../src/metrics/curves/read-progress.ts';
import { mean } from '../statistics.ts';
import type { Section } from './report.ts';
import { configOf, SPACE, type StudyRuns } from './studies.ts';

const NUM_DRAWS = 18;
const NUM_SEEDS = 3;
const STEPS = [16_384, 24_576, 32_768, 65_536];
const METRIC = 'rollout/episodeReturnMean';

/** PPO's Pendulum, whose best draws are closer together than the seeds of each. */
export async function measureNoise({ Tuner, parallel, firstStudy }: StudyRuns): Promise<Section> {
  const folder = mkdtempSync(join(tmpdir(), 'operant-bench-noise-'));
  try {
    const out = join(folder, 'study');
    const options = {
      algorithm: 'ppo',
      tuned: false,
      config: configOf('Pendulum-v1'),
      space: SPACE,
    } as const;
    const draws = { searcher: 'random', numTrials: NUM_DRAWS, seedsPerTrial: NUM_SEEDS, finalSeeds: 0 };
    const trialSteps = Math.max(...STEPS);
    await new Tuner({ ...options, ...draws, trialSteps, seed: firstStudy, out, parallel }).fit();
    const scores = await readScores(out);
    return {
      title: `Noise: ${NUM_DRAWS} random draws of PPO's Pendulum-v1 on ${NUM_SEEDS} seeds each, the best third of them at each length`,
      head: [
        'steps of a trial',
        'deviation between all draws',
        'of one draw between seeds',
        'between the best third',
        'of one of those between seeds',
        "share of the variance of one seed's score that is the draw's, among them",
        'the best five draws, means of three seeds',
      ],
      rows: STEPS.map((_, k) =>
        rowOf(
          k,
          scores.map((seeds) => seeds.map((values) => values[k])),
        ),
      ),
      note: "Deviations between draws are those of the draws' means less what their seeds alone make (the variance within a draw divided by the seeds), 0 where that is all.",
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** scores[draw][seed][k]: the metric when STEPS[k] were taken. */
async function readScores(study: string): Promise<number[][][]> {
  const folderOf = (draw: number, seed: number) =>
    join(study, 'trials', String(draw).padStart(4, '0'), `seed-${seed}`);
  return Promise.all(
    Array.from({ length: NUM_DRAWS }, (_, draw) =>
      Promise.all(Array.from({ length: NUM_SEEDS }, (_, seed) => readRun(folderOf(draw, seed)))),
    ),
  );
}

async function readRun(folder: string): Promise<number[]> {
  const column = (await readProgress(folder)).get(METRIC);
  if (column === undefined) throw new Error(`\`${folder}\` has no ${METRIC}`);
  return STEPS.map((numSteps) => column.values[column.steps.findLastIndex((step) => step <= numSteps)]);
}

/** @param draws scores by draw and seed. */
function rowOf(k: number, draws: readonly (readonly number[])[]): string[] {
  const ranked = draws.toSorted((a, b) => mean(b) - mean(a));
  const all = spreadOf(ranked);
  const best = spreadOf(ranked.slice(0, NUM_DRAWS / 3));
  const share = best.between / (best.between + best.within);
  return [
    STEPS[k].toLocaleString('en'),
    ...[all.between, all.within, best.between, best.within].map((variance) => Math.sqrt(variance).toFixed(0)),
    `${(100 * share).toFixed(0)} %`,
    ranked
      .slice(0, 5)
      .map((values) => mean(values).toFixed(0))
      .join(', '),
  ];
}

/** Variances. */
function spreadOf(draws: readonly (readonly number[])[]): {
  readonly between: number;
  readonly within: number;
} {
  const within = mean(draws.map(variance));
  return { between: Math.max(0, variance(draws.map(mean)) - within / NUM_SEEDS), within };
}

/** With n - 1. */
function variance(values: readonly number[]): number {
  const center = mean(values);
  return values.reduce((sum, value) => sum + (value - center) ** 2, 0) / (values.length - 1);
}
