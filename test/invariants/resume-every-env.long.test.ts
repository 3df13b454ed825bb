/** Every environment that we ship goes on in mid-episode after a resume, in another number of workers, bit for bit. */
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Algorithm, type JsonObject, PPOConfig } from '../../src/index.ts';
import { installedEnvIds } from '../envs/installed-envs.ts';
import { temporaryFoldersOfFile } from '../temporary-folder.ts';
import { comparable } from './run-content.ts';

const temporaryFolder = temporaryFoldersOfFile();

/** Those of MuJoCo share one kernel and one way to save a state, which `shipped.test.ts` asks of each; every thread of a run loads the engine, so three stand for all. */
const OF_MUJOCO = ['Pusher-v5', 'HalfCheetah-v5', 'Humanoid-v5'];
const IDS = installedEnvIds().filter((id) => !id.endsWith('-v5') || OF_MUJOCO.includes(id));

/** So that a rollout ends in mid-episode. */
const OPTIONS: Readonly<Record<string, JsonObject>> = { 'MatrixGame-v0': { rounds: 4 } };

test('there are environments to try', () => expect(IDS.length).toBeGreaterThan(8));

test.concurrent.each(IDS)('%s', { timeout: 240_000 }, async (id) => {
  const unbroken = await new PPOConfig()
    .environment(id, OPTIONS[id] ?? {})
    .envRunners({ numEnvRunners: 0, numEnvs: 5, rolloutLength: 17 })
    .training({ numEpochs: 1, minibatchSize: 85, hiddenSizes: [8], network: 'mlp' })
    .learners({ engine: 'simd' })
    .build();
  await unbroken.train();
  const path = await unbroken.save(join(temporaryFolder(), 'checkpoint'));
  const { tensors } = await unbroken.getState();
  const episodeSteps = tensors['environments.safetensors'].episodeSteps.data;
  const resumed = await Algorithm.fromCheckpoint(path, { envRunners: { numEnvRunners: 2 } });
  for (let k = 0; k < 2; k++) {
    const expected = await unbroken.train();
    const result = await resumed.train();
    expect(result.episodes).toEqual(expected.episodes);
    expect(result.metrics['rollout/numEnvRestarts']).toBe(0);
  }
  expect(comparable(await resumed.getState())).toEqual(comparable(await unbroken.getState()));
  expect([...episodeSteps].some((step) => step > 0)).toBe(true);
  await resumed.stop();
  await unbroken.stop();
});
