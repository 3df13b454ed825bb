/** Learning curves: what is read of a log, what is drawn of it. */
import { symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ticks } from '../../../src/metrics/curves/chart.ts';
import { readProgress } from '../../../src/metrics/curves/read-progress.ts';
import { drawRunCurves } from '../../../src/metrics/curves/run-curves.ts';
import { bandOf, drawSeedCurves } from '../../../src/metrics/curves/seed-curves.ts';
import { thinOut } from '../../../src/metrics/curves/thin-out.ts';
import { temporaryFolder } from '../../temporary-folder.ts';

const row = (iteration: number, metrics: object) =>
  `${JSON.stringify({ iteration, numEnvSteps: 100 * iteration, numEpisodes: 1, seconds: 1, timestamp: 2, ...metrics })}\n`;

test('a log is read by metric, with the steps of the rows that have it, up to a line that was cut short', async () => {
  const folder = temporaryFolder();
  writeFileSync(
    join(folder, 'progress.jsonl'),
    `${row(1, { a: 1, b: 5 })}${row(2, { a: 2 })}${row(3, { a: 3, b: 7 })}{"iteration": 4, "numEnv`,
  );
  expect([...(await readProgress(folder))]).toEqual([
    ['a', { steps: [100, 200, 300], values: [1, 2, 3] }],
    ['b', { steps: [100, 300], values: [5, 7] }],
  ]);
  await expect(readProgress(join(folder, 'nowhere'))).rejects.toThrow(/ENOENT/);
  const linked = temporaryFolder();
  symlinkSync(join(folder, 'progress.jsonl'), join(linked, 'progress.jsonl'));
  await expect(readProgress(linked)).rejects.toMatchObject({ code: 'CHECKPOINT_NOT_REGULAR' });
});

test('seeds become a mean and a band, read off at the same steps', () => {
  const first = { steps: [0, 100, 200], values: [0, 10, 20] };
  const second = { steps: [0, 50, 150, 300], values: [10, 10, 30, 30] };
  const { x, y, low, high } = bandOf([first, second]);
  expect([x[0], x.at(-1)]).toEqual([0, 200]); // as far as both went
  const at = (steps: number) => x.findIndex((value) => value >= steps);
  const k = at(100);
  expect(y[0]).toBe(5);
  // At x: the first has x / 10, the second 10 + (x - 50) / 5.
  expect(low?.[k]).toBeCloseTo(x[k] / 10, 9);
  expect(high?.[k]).toBeCloseTo(10 + (x[k] - 50) / 5, 9);
  expect(y[k]).toBeCloseTo((x[k] / 10 + 10 + (x[k] - 50) / 5) / 2, 9);
  expect(bandOf([first])).not.toHaveProperty('low');
});

test('a long column keeps its mean in few points', () => {
  const column = {
    steps: Array.from({ length: 1000 }, (_, k) => k),
    values: Array.from({ length: 1000 }, (_, k) => k % 2),
  };
  const { steps, values } = thinOut(column, 100);
  expect(values).toEqual(new Array(100).fill(0.5));
  expect(steps[99]).toBe(999);
});

test('round numbers on the axes', () => {
  expect(ticks(0, 100_000)).toEqual([0, 50_000, 100_000]);
  expect(ticks(-1.3, 0.2)).toEqual([-1, -0.5, 0]);
});

test('a run is drawn whole, and nothing of a name or a number gets out of its place', () => {
  const columns = new Map([
    ['rollout/episodeReturnMean', { steps: [100, 200], values: [0, 100] }],
    ['evaluation/episodeReturnMean', { steps: [200], values: [50] }],
    ['train/policyLoss', { steps: [100, 200], values: [1, 1] }],
    ['train/numUpdates', { steps: [100], values: [3] }],
    ['env/<script>"', { steps: [100], values: [3] }],
    ['time/learnMs', { steps: [100], values: [3] }],
  ]);
  const svg = drawRunCurves('a & b', columns) ?? '';
  const titles = [...svg.matchAll(/font-size="12"[^>]*>([^<]*)</g)].map(([, title]) => title);
  expect(titles).toEqual(['mean return', 'train/policyLoss', 'env/&lt;script&gt;&quot;']);
  expect(svg).toContain('a &amp; b');
  expect(svg).not.toMatch(/NaN|Infinity|undefined|<script|href/);
  // 0 and 100 lie 6% of their distance from the panel's edges: 170 * (1 - 0.06 / 1.12) down, and 0.06 / 1.12 of it.
  expect(svg).toMatch(/points="223.0,190.9 388.0,39.1"/);
  expect(drawRunCurves('nothing', new Map())).toBeNull();
  expect(drawSeedCurves('m', [{ group: 'g', column: { steps: [5], values: [1] } }])).toContain('g (1 run)');
});
