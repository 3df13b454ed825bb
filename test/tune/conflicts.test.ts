/** Flags of `train` that say nothing where many trainings are run are refused. */
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { Tuner } from '../../src/index.ts';
import { operant } from '../cli/run-in-process.ts';
import { temporaryFolder } from '../temporary-folder.ts';

const SPACE = ['--space', '{"learningRate":{"uniform":[0,1]}}', '--trial-steps', '1'];

it.each([
  ['a seed', ['--seed', '0'], /`seed` does not go with a study.*--study-seed/],
  ['a stop condition', ['--stop-return', '3'], /`stopReturn` does not go with a study.*steps alone/],
  [
    'a grace period without a scheduler',
    ['--grace-period', '3'],
    /`gracePeriod` is an option of asha, asha-promote, hyperband and median/,
  ],
  [
    'a reduction factor of median',
    ['--scheduler', 'median', '--reduction-factor', '3', '--grace-period', '1'],
    /`reductionFactor` is an option of asha, asha-promote and hyperband, and the scheduler is median/,
  ],
  [
    'a perturbation interval without pbt',
    ['--scheduler', 'hyperband', '--perturbation-interval', '5'],
    /`perturbationInterval` is an option of pbt, and the scheduler is hyperband/,
  ],
  [
    'a grace period as long as a trial',
    ['--scheduler', 'asha', '--trial-steps', '9', '--grace-period', '9'],
    /`gracePeriod` \(9\) is not below `trialSteps` \(9\)/,
  ],
  [
    'pbt with a searcher that learns nothing there',
    ['--scheduler', 'pbt', '--searcher', 'tpe'],
    /tpe would be random/,
  ],
  ['generations as long as a trial', ['--scheduler', 'pbt'], /`perturbationInterval` \(1\) is not below/],
  [
    'trials shorter than an iteration',
    ['--num-envs', '8', '--rollout-length', '16', '--minibatch-size', '64', '--trial-steps', '127'],
    /`trialSteps` \(127\) is less than one iteration takes, 128 steps \(numEnvs 8 \* rolloutLength 16\)/,
  ],
  ['a quantile above a half', ['--scheduler', 'pbt', '--quantile', '0.6'], /`quantile` to be a number > 0/],
  ['runs without a log', ['--no-jsonl'], /`jsonl` does not go with a study/],
  ['trials that are no number', ['--num-trials', 'abc'], /`numTrials` to be an integer >= 1, got `abc`/],
  ['side by side what is no number', ['--parallel', ''], /`parallel` to be an integer >= 1, got `` /],
  [
    'values of which none go together',
    ['--space', '{"rolloutLength":{"choice":[8]},"minibatchSize":{"int":[1000,2000]}}', '--num-envs', '4'],
    /No values .* go together: every trial would fail.*minibatchSize \(\d+\) must not exceed the rollout of 32/,
  ],
  [
    'a grid of numbers without steps, however many trials',
    ['--searcher', 'grid', '--num-trials', '3'],
    /A grid needs values to go through/,
  ],
  ['many seeds', ['--seeds', '1..3'], /--seeds-per-trial/],
])('operant tune refuses %s', async (_, flags, message) => {
  const out = join(temporaryFolder(), 'study');
  const tune = await operant('tune', '--env', 'CartPole', ...SPACE, '--out', out, ...flags);
  expect(tune.stderr).toMatch(message);
  expect(tune.exitCode).toBe(2);
  expect(existsSync(out)).toBe(false);
});

it('operant tune refuses a config file with hooks, which trials would not call', async () => {
  const folder = temporaryFolder();
  const file = join(folder, 'config.mjs');
  writeFileSync(
    file,
    `import { PPOConfig } from ${JSON.stringify(new URL('../../src/index.ts', import.meta.url).href)};
     export default new PPOConfig().environment('CartPole-v1').callbacks({ onStop: () => {} });`,
  );
  const tune = await operant('tune', '--config', file, ...SPACE, '--out', join(folder, 'study'));
  expect(tune.stderr).toMatch(/has hooks/);
});

it('a Tuner refuses a config with a seed and a folder of its own, both named', async () => {
  const out = join(temporaryFolder(), 'study');
  const config = { environment: { env: 'CartPole-v1' }, debugging: { seed: 3 }, checkpointing: { out: 'x' } };
  const fit = new Tuner({ algorithm: 'ppo', config, space: { gamma: { uniform: [0, 1] } }, out }).fit();
  await expect(fit).rejects.toThrow(/`seed` does not.*\n.*`out` does not/);
});

it.each([
  ['parallel', 0, 'CONFIG_STUDY'],
  ['maxRetries', 0.5, 'CONFIG_STUDY'],
  ['seedsPerTrial', Number.NaN, 'CONFIG_RANGE'],
  ['numTrial', 3, 'CONFIG_UNKNOWN'],
])('a Tuner refuses %s: %d by name', async (name, value, code) => {
  const options = { algorithm: 'ppo', config: { environment: { env: 'CartPole-v1' } }, trialSteps: 1 };
  const space = { gamma: { uniform: [0, 1] } };
  const out = join(temporaryFolder(), 'study');
  const fit = new Tuner({ ...options, space, out, [name]: value }).fit();
  await expect(fit).rejects.toMatchObject({ code, message: expect.stringContaining(`\`${name}\``) });
});

it('train refuses --seed beside --seeds', async () => {
  const train = await operant(
    'train',
    '--env',
    'CartPole',
    '--seeds',
    '1..2',
    '--seed',
    '3',
    '--out',
    temporaryFolder(),
  );
  expect(train.stderr).toMatch(/`--seed` and --seeds do not go together/);
  expect(train.exitCode).toBe(2);
});

it('train refuses --no-jsonl beside --seeds, whose results are read there', async () => {
  const out = temporaryFolder();
  const flags = ['--no-jsonl', '--seeds', '1..2', '--out', out];
  const train = await operant('train', '--env', 'CartPole', ...flags);
  expect(train.stderr).toMatch(/--no-jsonl and --seeds do not go together/);
  expect(train.exitCode).toBe(2);
});
