/** What a trial's score is read from. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { readRunMetric } from '../../src/tune/run-metric.ts';
import { temporaryFolder } from '../temporary-folder.ts';

function runFolder(): string {
  const folder = temporaryFolder();
  const rows = [
    { numEnvSteps: 10, 'train/loss': 3 },
    { numEnvSteps: 20, 'train/loss': 2, 'rollout/episodeReturnMean': 4 },
    { numEnvSteps: 40, 'train/loss': 1, 'rollout/episodeReturnMean': 8 },
    { numEnvSteps: 50, 'rollout/episodeReturnMean': 6 },
  ];
  writeFileSync(join(folder, 'progress.jsonl'), rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
  return folder;
}

it.each([
  ['episodeReturnMean', 6],
  ['train/loss', 1],
  // 20 * 4 before the first value, 20 * 6 and 10 * 7 between the others, over 50 steps
  ['auc:episodeReturnMean', (80 + 120 + 70) / 50],
  // 10 * 3, 10 * 2.5 and 20 * 1.5, over 40 steps
  ['auc:train/loss', (30 + 25 + 30) / 40],
])('%s', async (metric, value) => {
  expect(await readRunMetric(runFolder(), metric)).toBeCloseTo(value, 12);
});

it('names what there is where a metric is missing', async () => {
  expect(await readRunMetric(runFolder(), 'auc:train/los')).toEqual({
    missing: expect.stringMatching(/the metric `train\/los`; there are: train\/loss, rollout/),
    keys: ['train/loss', 'rollout/episodeReturnMean'],
  });
});
