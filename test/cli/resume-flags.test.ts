import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { temporaryFolder } from '../temporary-folder.ts';
import { operant } from './run-in-process.ts';

/** A finished run of one iteration with an evaluation. */
async function shortRun(...flags: string[]): Promise<{ out: string; summary: Record<string, unknown> }> {
  const out = join(temporaryFolder(), 'run');
  const small = [
    '--num-env-runners',
    '0',
    '--num-envs',
    '2',
    '--rollout-length',
    '16',
    '--minibatch-size',
    '32',
  ];
  const end = ['--stop-iterations', '1', '--out', out, '--json'];
  const { exitCode, json } = await operant(
    'train',
    '--env',
    'CartPole',
    '--no-tuned',
    ...small,
    ...end,
    ...flags,
  );
  expect(exitCode).toBe(0);
  return { out, summary: json().at(-1) as Record<string, unknown> };
}

test('--tuned is refused: a resumed run has its own options', async () => {
  const { out } = await shortRun();
  const { exitCode, stderr } = await operant('train', '--resume', out, '--tuned');
  expect(exitCode).toBe(2);
  expect(stderr).toMatch(/--tuned and --resume .* do not go together/);
});

test('a run folder that remembers changes begins anew where it was killed before its first checkpoint', async () => {
  const { out } = await shortRun();
  for (const gone of ['checkpoints', 'latest', 'best'])
    rmSync(join(out, gone), { recursive: true, force: true });
  mkdirSync(join(out, 'checkpoints'));
  const path = join(out, 'config.json');
  const config = JSON.parse(readFileSync(path, 'utf8'));
  const changes = [{ option: 'training.gamma', from: 0.9, to: 0.99 }];
  writeFileSync(path, JSON.stringify({ ...config, history: [{ iteration: 1, changes }] }));
  const { exitCode, stderr } = await operant('train', '--resume', out, '--quiet');
  expect([exitCode, stderr]).toEqual([0, '']);
});

test('the summary has the last evaluation', async () => {
  const { summary } = await shortRun('--evaluation-interval', '1', '--evaluation-episodes', '3');
  expect(summary.lastEvaluation).toMatchObject({ iteration: 1, numEpisodes: 3 });
});
