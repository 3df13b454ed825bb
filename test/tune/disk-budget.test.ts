/** What a study gives up when its disk budget is spent. */
import { existsSync, linkSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { Tuner } from '../../src/index.ts';
import { sizeOf } from '../../src/run/list-runs.ts';
import { freeDisk } from '../../src/tune/disk-budget.ts';
import type { Trial } from '../../src/tune/trial.ts';
import { temporaryFolder } from '../temporary-folder.ts';

const trial = (number: number, state: Trial['state'], score: number): Trial => ({
  ...{ number, state, score, values: {}, firstValues: {}, clones: [], reason: null },
  ...{ scores: [score], steps: [1], numSteps: 1 },
});

/** A study in which every trial has a checkpoint of 1000 bytes. */
function studyOf(numTrials: number): { study: string; has: (number: number) => boolean } {
  const study = temporaryFolder();
  const run = (number: number) => join(study, 'trials', `000${number}`, 'seed-0');
  for (let number = 0; number < numTrials; number++) {
    mkdirSync(join(run(number), 'checkpoints'), { recursive: true });
    writeFileSync(join(run(number), 'checkpoints', 'weights'), Buffer.alloc(1000));
    writeFileSync(join(run(number), 'progress.jsonl'), 'log');
  }
  return { study, has: (number) => existsSync(join(run(number), 'checkpoints')) };
}

it('removes checkpoints of ended trials, worst first, and never those that run, wait or are best', async () => {
  const { study, has } = studyOf(5);
  const trials = [
    trial(0, 'complete', 9),
    trial(1, 'complete', 2),
    trial(2, 'running', 0),
    trial(3, 'waiting', 0),
    trial(4, 'complete', 5),
  ];
  expect(await freeDisk(study, trials, 5015)).toBe(5015);
  expect(await freeDisk(study, trials, 4500)).toBe(4015);
  expect([0, 1, 2, 3, 4].map(has)).toEqual([true, false, true, true, true]);
  expect(await freeDisk(study, trials, 10)).toBe(3015);
  expect([0, 1, 2, 3, 4].map(has)).toEqual([true, false, true, true, false]);
});

it('counts a file with several names once', async () => {
  const { study } = studyOf(1);
  const file = join(study, 'trials', '0000', 'seed-0', 'checkpoints', 'weights');
  linkSync(file, join(study, 'again'));
  expect(await sizeOf(study)).toBe(1003);
});

it('ends a study that needs more, and says how to go on', async () => {
  const fit = new Tuner({
    algorithm: 'ppo',
    tuned: false,
    config: {
      environment: { env: 'CartPole-v1' },
      envRunners: { numEnvs: 2, rolloutLength: 32 },
      training: { minibatchSize: 64, hiddenSizes: [400, 400] },
    },
    space: { learningRate: { choice: [0.001, 0.002] } },
    ...{ searcher: 'grid', trialSteps: 64, parallel: 1, finalSeeds: 0, diskBudgetMb: 1 },
    out: join(temporaryFolder(), 'study'),
  }).fit();
  await expect(fit).rejects.toMatchObject({
    code: 'CHECKPOINT_DISK_FULL',
    message: expect.stringMatching(/`diskBudgetMb` is 1.*resume it with more/),
  });
}, 60_000);
