/** Curves from the command line: what a run leaves behind, and several runs in one picture. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { temporaryFolder } from '../temporary-folder.ts';
import { operant } from './run-in-process.ts';

const small = ['--env', 'CartPole', '--no-tuned', '--num-env-runners', '0', '--rollout-length', '64'];

test('each run draws its curves, and plot joins those that differ in their seed alone', async () => {
  const folder = temporaryFolder();
  const train = (name: string, ...flags: string[]) =>
    operant('train', ...small, '--stop-iterations', '3', '--out', join(folder, name), ...flags);
  await train('a', '--seed', '1', '--evaluation-interval', '2');
  await train('b', '--seed', '2', '--evaluation-interval', '2');
  await train('c', '--seed', '1', '--learning-rate', '0.01', '--no-curves');
  const own = readFileSync(join(folder, 'a', 'curves.svg'), 'utf8');
  expect(own).toContain('train/policyLoss');
  expect(own).toContain('evaluation');
  expect(existsSync(join(folder, 'c', 'curves.svg'))).toBe(false);
  // A resumed run draws the whole of it anew.
  await operant('train', '--resume', join(folder, 'a'), '--stop-iterations', '4');
  expect(readFileSync(join(folder, 'a', 'curves.svg'), 'utf8')).not.toBe(own);

  const out = join(folder, 'all.svg');
  const runs = ['a', 'b', 'c'].map((name) => join(folder, name));
  const { exitCode, stdout } = await operant('plot', ...runs, '--out', out);
  expect([exitCode, stdout]).toEqual([0, `${out}\n`]);
  const svg = readFileSync(out, 'utf8');
  expect(svg).toContain('ppo CartPole, learningRate 0.0003 (2 runs)');
  expect(svg).toContain('ppo CartPole, learningRate 0.01 (1 run)');
  expect(svg.match(/<polygon/g)).toHaveLength(1);

  const wrong = await operant('plot', ...runs, '--out', out, '--metric', 'train/policyLos');
  expect(wrong.stderr).toMatch(/no metric train\/policyLos. Did you mean train\/policyLoss\?/);
  expect((await operant('plot', folder)).stderr).toMatch(/to be a run folder/);
  expect((await operant('plot', runs[0], '--out', 'x.png')).stderr).toMatch(/to end in .svg/);
  expect((await operant('plot')).stderr).toMatch(/Which runs\?/);
});
