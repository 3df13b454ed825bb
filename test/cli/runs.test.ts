/** Runs in a list, and two side by side. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { takeRunLock } from '../../src/run/run-lock.ts';
import { temporaryFolder } from '../temporary-folder.ts';
import { operant } from './run-in-process.ts';

const small = ['--env', 'CartPole', '--no-tuned', '--num-env-runners', '0', '--rollout-length', '64'];

test('runs lists state, values, checkpoints and differences; compare tells how two differ', async () => {
  const folder = temporaryFolder();
  const train = (name: string, ...flags: string[]) =>
    operant('train', ...small, '--no-curves', '--out', join(folder, name), ...flags);
  await train('a', '--stop-iterations', '3', '--keep-checkpoints', '2', '--checkpoint-every', '1');
  await train('deep/b', '--stop-iterations', '2', '--learning-rate', '0.01', '--seed', '7');
  // as if a longer run had been interrupted
  const path = join(folder, 'deep', 'b', 'config.json');
  const config = JSON.parse(readFileSync(path, 'utf8'));
  writeFileSync(path, JSON.stringify({ ...config, stopping: { ...config.stopping, stopIterations: 9 } }));
  mkdirSync(join(folder, 'empty', 'checkpoints'), { recursive: true });
  writeFileSync(join(folder, 'empty', 'config.json'), JSON.stringify(config));

  const { exitCode, stdout } = await operant('runs', folder, '--json');
  expect(exitCode).toBe(0);
  const [a, b, empty] = JSON.parse(stdout);
  const rows = readFileSync(join(folder, 'a', 'progress.jsonl'), 'utf8')
    .trimEnd()
    .split('\n');
  const returns = rows.map((row) => JSON.parse(row)['rollout/episodeReturnMean']);
  expect(a).toMatchObject({
    ...{ path: 'a', state: 'done', algorithm: 'ppo', env: 'CartPole', differences: { learningRate: 0.0003 } },
    metric: { newest: returns[2], greatest: Math.max(...returns) },
  });
  expect(a.checkpoints).toContain(3);
  expect(a.numBytes).toBeGreaterThan(10_000);
  expect(b).toMatchObject({ path: 'deep/b', state: 'interrupted', differences: { learningRate: 0.01 } });
  expect(empty).toMatchObject({ path: 'empty', state: 'no checkpoint', metric: { newest: null } });

  const lock = await takeRunLock(join(folder, 'a'));
  const running = JSON.parse((await operant('runs', folder, '--json')).stdout);
  await lock.release();
  expect(running[0].state).toBe('running');
  const text = (await operant('runs', folder)).stdout;
  expect(text).toMatch(/^a +done +1,536 .* 2 3\*? |^a +done /m);
  expect(text).toMatch(/deep\/b +interrupted .*learningRate 0.01/);

  const out = join(folder, 'both.svg');
  const two = [join(folder, 'a'), join(folder, 'deep', 'b')];
  const compared = await operant('compare', ...two, '--out', out, '--json');
  expect([compared.exitCode, compared.stderr]).toEqual([0, '']);
  const { atSteps, options, metrics, machines } = JSON.parse(compared.stdout);
  expect(atSteps).toBe(1024);
  expect(options).toContainEqual({ option: 'training.learningRate', from: 0.0003, to: 0.01 });
  expect(options.map(({ option }: { option: string }) => option)).not.toContain('checkpointing.out');
  expect(metrics[0]).toMatchObject({ key: 'rollout/episodeReturnMean' });
  expect(metrics[0].values[0]).toBe(returns[1]);
  expect(machines).toEqual([]);
  expect(readFileSync(out, 'utf8')).toContain('rollout/episodeReturnMean');
  expect((await operant('compare', ...two)).stdout).toMatch(/training.learningRate: 0.0003 in A, 0.01 in B/);
}, 120_000);

test('what is no run is said by name', async () => {
  const folder = temporaryFolder();
  expect((await operant('runs', join(folder, 'none'))).stderr).toMatch(/to be a folder with runs in it/);
  expect((await operant('runs', folder)).stdout).toMatch(/^No runs below/);
  expect((await operant('compare', folder)).stderr).toMatch(/two run folders first, got 1/);
  expect((await operant('compare', folder, folder)).stderr).toMatch(/to be a run folder/);
  expect((await operant('compare', folder, folder, '--out', 'a.png')).stderr).toMatch(/to end in .svg/);
});
