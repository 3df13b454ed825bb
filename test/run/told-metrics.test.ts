/** Metrics of one's own, from hooks: in every log of the iteration they belong to. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { PPOConfig } from '../../src/index.ts';
import { operant } from '../cli/run-in-process.ts';
import { temporaryFolder } from '../temporary-folder.ts';

test('--json carries them, and those of environments', async () => {
  const folder = temporaryFolder();
  const index = new URL('../../src/index.ts', import.meta.url).pathname;
  writeFileSync(
    join(folder, 'run.ts'),
    `import { Box, Discrete, PPOConfig } from '${index}';
const env = () => ({
  observationSpace: new Box(0, 1, [1]),
  actionSpace: new Discrete(2),
  maxEpisodeSteps: 4,
  reset: () => ({ observation: [0] }),
  step: () => ({ observation: [0], reward: 1, terminated: false, truncated: false, info: { metrics: { fuel: 3 } } }),
});
export default new PPOConfig()
  .environment(env)
  .envRunners({ numEnvRunners: 0, numEnvs: 2, rolloutLength: 16 })
  .training({ numEpochs: 1, minibatchSize: 32 })
  .callbacks({ onIterationEnd: ({ result, addMetrics }) => addMetrics({ tenfold: 10 * result.iteration }) });
`,
  );
  const flags = ['--config', join(folder, 'run.ts'), '--out', join(folder, 'run'), '--stop-iterations', '2'];
  const { exitCode, stderr, json } = await operant('train', ...flags, '--json');
  expect(exitCode, stderr).toBe(0);
  const told = json().map(({ type, metrics }) => {
    const { 'user/tenfold': tenfold, 'env/fuel': fuel } = metrics as Record<string, number>;
    return [type, tenfold, fuel];
  });
  expect(told).toEqual([
    ['iteration', 10, 3],
    ['iteration', 20, 3],
    ['summary', 20, 3],
  ]);
});

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
