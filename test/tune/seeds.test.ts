/** The same training under several seeds. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { seedStatistics, seedsText } from '../../src/tune/many-seeds.ts';
import type { StudySettings } from '../../src/tune/settings.ts';
import { studyReport } from '../../src/tune/study-report.ts';
import { operant } from '../cli/run-in-process.ts';
import { temporaryFolder } from '../temporary-folder.ts';

it('train --seeds again goes on, with what its flags change', async () => {
  const out = join(temporaryFolder(), 'seeds');
  const small = ['--num-envs', '2', '--rollout-length', '32', '--minibatch-size', '64'];
  const train = (numSteps: string) =>
    operant(
      ...['train', '--env', 'CartPole', '--tuned', ...small, '--seeds', '4,5', '--parallel', '2'],
      ...['--stop-steps', numSteps, '--out', out, '--json'],
    );
  const numStepsOf = (seed: number) =>
    readFileSync(join(out, `seed-${seed}`, 'progress.jsonl'), 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line).numEnvSteps);
  expect((await train('64')).exitCode).toBe(0);
  expect([numStepsOf(4), numStepsOf(5)]).toEqual([[64], [64]]);
  const again = await train('128');
  expect(again.exitCode).toBe(0);
  expect([numStepsOf(4), numStepsOf(5)]).toEqual([
    [64, 128],
    [64, 128],
  ]);
  const { seeds, statistics } = again.json().at(-1) as unknown as {
    seeds: { seed: number; value: number }[];
    statistics: { mean: number };
  };
  expect(seeds.map(({ seed }) => seed)).toEqual([4, 5]);
  expect(statistics.mean).toBeCloseTo((seeds[0].value + seeds[1].value) / 2, 12);
  expect(readFileSync(join(out, 'curves.svg'), 'utf8')).toContain('ppo CartPole (2 runs)');
}, 120_000);

it('a seed whose process was killed goes on from its last checkpoint', async () => {
  const folder = temporaryFolder();
  const env = join(folder, 'env.mjs');
  writeFileSync(
    env,
    `import { existsSync, writeFileSync } from 'node:fs';
     import { Box, Discrete } from ${JSON.stringify(new URL('../../src/index.ts', import.meta.url).href)};
     const mark = ${JSON.stringify(join(folder, 'mark'))};
     export default () => ({
       observationSpace: new Box(-1, 1, [1]), actionSpace: new Discrete(2),
       reset: () => ({ observation: [0] }),
       step: () => {
         if (!existsSync(mark)) { writeFileSync(mark, ''); process.kill(process.pid, 'SIGKILL'); }
         return { observation: [0], reward: 1, terminated: true, truncated: false };
       },
     });`,
  );
  const small = ['--num-envs', '1', '--rollout-length', '32', '--minibatch-size', '32', '--stop-steps', '64'];
  const out = join(folder, 'seeds');
  const train = await operant('train', '--env', env, ...small, '--seeds', '1', '--out', out);
  expect([train.exitCode, existsSync(join(folder, 'mark'))]).toEqual([0, true]);
  expect(train.stdout).toMatch(/mean return 1 \(one seed/);
}, 60_000);

describe('statistics over seeds', () => {
  it('has mean and deviation with n - 1', () => {
    const { numSeeds, mean, std } = seedStatistics([1, 2, 3, 4]) as NonNullable<
      ReturnType<typeof seedStatistics>
    >;
    expect([numSeeds, mean]).toEqual([4, 2.5]);
    expect(std).toBeCloseTo(Math.sqrt(5 / 3), 12);
  });

  it('the bootstrap of two values has their ends, each drawn a quarter of the time', () => {
    expect(seedStatistics([0, 1])?.interval).toEqual([0, 1]);
  });

  it('of one value is that value without an interval, of none is nothing', () => {
    const one = seedStatistics([3]);
    expect(one).toEqual({ numSeeds: 1, mean: 3, std: 0, interval: null });
    expect(seedsText(one as NonNullable<typeof one>, String)).toBe('3 (one seed, so no spread)');
    expect(seedStatistics([])).toBeNull();
  });
});

it('a report says how many seeds its last number is of', () => {
  const settings: StudySettings = {
    algorithm: 'ppo',
    layers: [],
    space: {},
    searcher: 'tpe',
    scheduler: 'none',
    numTrials: 1,
    seedsPerTrial: 1,
    trialSteps: 1,
    gracePeriod: 1,
    reductionFactor: 2,
    perturbationInterval: 1,
    quantile: 0.25,
    resampleProbability: 0.25,
    metric: 'episodeReturnMean',
    mode: 'max',
    seed: 0,
    suggestionLag: 0,
    budgetSteps: null,
    finalSeeds: 3,
  };
  const text = studyReport({
    ...{ settings, trials: [], best: null, numRefused: 0, pictures: [] },
    final: seedStatistics([1, 3]),
  });
  expect(text).toContain('Again on 2 seeds that no trial had (1 more failed): 2 +- 1.4142');
});
