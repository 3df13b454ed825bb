/** Exact resume of environments that a user wrote; those that we ship stand in exact-resume.test.ts. */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { loadCheckpoint } from '../../src/checkpoint/load-checkpoint.ts';
import { type Algorithm, PPOConfig } from '../../src/index.ts';
import type { JsonObject } from '../../src/json.ts';
import { temporaryFolder } from '../temporary-folder.ts';
import { comparable } from './run-content.ts';

const fixture = (name: string) => fileURLToPath(new URL(`../rollout/fixtures/${name}.ts`, import.meta.url));

interface Setup {
  readonly env: string;
  readonly envOptions?: JsonObject;
  readonly numEnvRunners?: number;
  readonly engine?: 'simd' | 'tensorflow';
  readonly training?: Parameters<InstanceType<typeof PPOConfig>['training']>[0];
}

function configFor({ env, envOptions = {}, numEnvRunners = 0, engine = 'simd', training = {} }: Setup) {
  return new PPOConfig()
    .environment(env, envOptions)
    .envRunners({
      numEnvRunners,
      numEnvs: 4,
      rolloutLength: 20,
      normalizeObservations: true,
      normalizeRewards: true,
    })
    .training({ numEpochs: 2, minibatchSize: 32, hiddenSizes: [16], ...training })
    .learners(engine === 'simd' ? { engine } : { engine, backend: 'wasm' })
    .debugging({ seed: 4, poison: true });
}

async function trainAndStop(algorithm: Pick<Algorithm, 'train' | 'getState' | 'stop'>, count: number) {
  const results = [];
  for (let k = 0; k < count; k++) results.push(await algorithm.train());
  const content = comparable(await algorithm.getState());
  await algorithm.stop();
  return { content, results };
}

describe.each<[string, Setup]>([
  ['without getState, by repeating its actions', { env: fixture('troubled-env') }],
  ['with getState', { env: fixture('troubled-env'), envOptions: { savesState: true } }],
  [
    'continuous and squashed, by repeating its actions',
    { env: fixture('continuous-env'), training: { squashActions: true } },
  ],
  [
    'with gSDE noise that is older than the rollout',
    { env: fixture('continuous-env'), training: { useGsde: true } },
  ],
  [
    'with masks, on TensorFlow',
    { env: fixture('counting-env'), envOptions: { masks: true }, engine: 'tensorflow' },
  ],
])('an environment %s', (_, setup) => {
  test('goes on as if nothing had happened, in another number of workers, too', async () => {
    const expected = await trainAndStop(await configFor(setup).build(), 6);
    const first = await configFor(setup).build();
    for (let k = 0; k < 3; k++) await first.train();
    const path = await first.save(join(temporaryFolder(), 'checkpoint'));
    await first.stop();

    const { content } = await loadCheckpoint(path);
    const second = await configFor({ ...setup, numEnvRunners: 2 }).build();
    await second.setState(content);
    const resumed = await trainAndStop(second, 3);
    expect(resumed.content).toEqual(expected.content);
    for (const [k, result] of resumed.results.entries()) {
      const unbroken = expected.results[k + 3];
      expect(result.episodes).toEqual(unbroken.episodes);
      expect(result.episodeReturnMean).toBe(unbroken.episodeReturnMean);
      expect(result.metrics['train/policyLoss']).toBe(unbroken.metrics['train/policyLoss']);
      expect(result.metrics['rollout/numEnvRestarts']).toBe(0);
    }
  });
});

test('an environment that is not deterministic begins its episodes again, which is counted', async () => {
  const config = configFor({ env: fixture('fickle-env') });
  const first = await config.build();
  await first.train();
  const content = await first.getState();
  await first.stop();
  const second = await config.build();
  await second.setState(content);
  const { metrics } = await second.train();
  expect(metrics['rollout/numEnvRestarts']).toBe(4);
  expect((await second.train()).metrics['rollout/numEnvRestarts']).toBe(0);
  await second.stop();
});
