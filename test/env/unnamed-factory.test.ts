/** A factory that nobody named is the same environment wherever it stands. */
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { factorySource } from '../../src/env/env-source.ts';
import { Algorithm, Box, Discrete, type Env, PPOConfig } from '../../src/index.ts';
import { temporaryFolder } from '../temporary-folder.ts';

const game = (): Env => ({
  observationSpace: new Box(-1, 1, [1]),
  actionSpace: new Discrete(2),
  reset: () => ({ observation: [0] }),
  step: () => ({ observation: [0], reward: 1, terminated: true, truncated: false }),
});

test('an arrow given to `environment` and one given as `env` have one name, others keep theirs', () => {
  const { env } = { env: () => game() };
  expect([factorySource(() => game()).id, factorySource(env).id, factorySource(game).id]).toEqual([
    'environment',
    'environment',
    'game',
  ]);
});

test('so a run that was begun with the one is resumed with the other', async () => {
  const algorithm = await new PPOConfig()
    .environment(() => game())
    .envRunners({ numEnvRunners: 0, numEnvs: 2, rolloutLength: 16 })
    .training({ minibatchSize: 32, hiddenSizes: [4] })
    .build();
  await algorithm.train();
  const path = await algorithm.save(join(temporaryFolder(), 'saved'));
  await algorithm.stop();
  const resumed = await Algorithm.fromCheckpoint(path, { environment: { env: () => game() } });
  expect((await resumed.train()).iteration).toBe(2);
  await resumed.stop();
});
