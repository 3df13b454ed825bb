/** A study's folder is data, whoever sent it: no code that it names runs without --trust. */
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { operant } from '../cli/run-in-process.ts';
import { temporaryFolder } from '../temporary-folder.ts';

it('a resumed study loads no module that its space or the run folder of a trial names', async () => {
  const study = join(temporaryFolder(), 'study');
  const mark = join(study, 'mark');
  const evil = join(study, 'evil.mjs');
  const tune = await operant(
    ...['tune', '--env', 'CartPole', '--space', '{"gamma":{"choice":[0.9,0.99]}}', '--searcher', 'grid'],
    ...['--num-trials', '1', '--trial-steps', '64', '--num-envs', '2', '--rollout-length', '32'],
    ...['--minibatch-size', '64', '--final-seeds', '0', '--out', study],
  );
  expect([tune.exitCode, tune.stderr]).toEqual([0, '']);
  writeFileSync(
    evil,
    `import { writeFileSync } from 'node:fs';\nwriteFileSync(${JSON.stringify(mark)}, '');`,
  );

  const settings = join(study, 'study.json');
  const saved = JSON.parse(readFileSync(settings, 'utf8'));
  const space = { ...saved.space, env: { kind: 'choice', choices: ['CartPole', evil] } };
  writeFileSync(settings, JSON.stringify({ ...saved, space }));
  const named = await operant('tune', '--resume', study, '--num-trials', '2');
  expect([named.exitCode, named.stderr]).toEqual([2, expect.stringContaining('--trust')]);
  writeFileSync(settings, JSON.stringify(saved));

  // the trial is to be run again, from a run folder that names the module
  const journal = join(study, 'journal.log');
  const lines = readFileSync(journal, 'utf8').split('\n');
  writeFileSync(journal, lines.filter((line) => !/"op_code":[67],/.test(line)).join('\n'));
  const path = join(study, 'trials', '0000', 'seed-0', 'config.json');
  const config = JSON.parse(readFileSync(path, 'utf8'));
  for (const name of ['checkpoints', 'latest', 'best'])
    rmSync(join(path, '..', name), { recursive: true, force: true });
  writeFileSync(path, JSON.stringify({ ...config, environment: { ...config.environment, env: evil } }));
  const resumed = await operant('tune', '--resume', study);
  expect(resumed.stdout).toMatch(/trial 0 failed.*CHECKPOINT_TRUST/);
  expect(existsSync(mark)).toBe(false);
}, 120_000);
