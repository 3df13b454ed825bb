/** Metrics of one's own, from hooks: in every log of the iteration they belong to. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { PPOConfig } from '../../src/index.ts';
import { temporaryFolder } from '../temporary-folder.ts';

test('what hooks tell is in the row of that iteration, the logs and the summary', async () => {
  const out = join(temporaryFolder(), 'run');
  const warnings: string[] = [];
  const seen: (number | undefined)[] = [];
  const config = new PPOConfig()
    .environment('CartPole-v1')
    .envRunners({ numEnvRunners: 0, numEnvs: 2, rolloutLength: 16 })
    .training({ numEpochs: 1, minibatchSize: 32 })
    .checkpointing({ out, checkpointEvery: 1 })
    .stopping({ stopIterations: 3 })
    .callbacks({
      onIterationEnd: ({ result, addMetrics }) => addMetrics({ tenfold: 10 * result.iteration }),
      onCheckpoint: ({ iteration, addMetrics }) => addMetrics({ saved: iteration }),
    })
    .callbacks({ onIterationEnd: ({ result }) => void seen.push(result.metrics['user/tenfold']) })
    .callbacks({
      onIterationEnd: ({ result, addMetrics }) =>
        addMetrics({ fine: 1, broken: result.iteration === 2 ? Number.NaN : 0 }),
    });
  const summary = await config.run({ onWarning: ({ message }) => warnings.push(message) });
  const rows = readFileSync(join(out, 'progress.jsonl'), 'utf8').trimEnd().split('\n');
  const told = rows.map((row) => {
    const metrics = JSON.parse(row) as Record<string, number>;
    // A checkpoint is whole some time later, and is told in a row after its own.
    expect(metrics['user/saved'] ?? 0).toBeLessThan(metrics.iteration);
    return ['tenfold', 'fine'].map((name) => metrics[`user/${name}`] ?? null);
  });
  expect(told).toEqual([
    [10, 1],
    [20, null],
    [30, 1],
  ]);
  expect(seen).toEqual([10, 20, 30]);
  expect(summary.metrics['user/tenfold']).toBe(30);
  expect(warnings.join()).toMatch(/Expected the metric `broken` to be a finite number, got NaN/);
  expect(readFileSync(join(out, 'progress.csv'), 'utf8')).toContain('user/tenfold');
  const events = readdirSync(out).find((name) => name.startsWith('events.')) ?? '';
  expect(readFileSync(join(out, events), 'latin1')).toContain('user/tenfold');
  expect(readFileSync(join(out, 'curves.svg'), 'utf8')).toContain('user/tenfold');
});
