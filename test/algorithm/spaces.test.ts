import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { loadCheckpoint } from '../../src/checkpoint/load-checkpoint.ts';
import { PPOConfig } from '../../src/index.ts';
import { temporaryFolder } from '../temporary-folder.ts';

const ENV = fileURLToPath(new URL('./fixtures/spaces-env.ts', import.meta.url));

function build(
  envOptions: object,
  numEnvRunners = 0,
  learners: { engine: 'simd' | 'tensorflow'; backend?: 'wasm' } = { engine: 'simd' },
) {
  return new PPOConfig()
    .environment(ENV, envOptions as never)
    .envRunners({ numEnvRunners, numEnvs: 3, rolloutLength: 16 })
    .training({ numEpochs: 2, minibatchSize: 16, hiddenSizes: [16] })
    .learners(learners)
    .debugging({ poison: true })
    .build();
}

async function trainAFew(
  envOptions: object,
  ...rest: [number?, { engine: 'simd' | 'tensorflow'; backend?: 'wasm' }?]
) {
  const algorithm = await build(envOptions, ...rest);
  onTestFinished(() => algorithm.stop());
  const before = (await algorithm.getState()).tensors['policies/default/weights.safetensors'];
  for (let k = 0; k < 3; k++) {
    const { metrics } = await algorithm.train();
    for (const [key, value] of Object.entries(metrics))
      expect([key, Number.isFinite(value)]).toEqual([key, true]);
  }
  const { returns } = await algorithm.evaluate({ numEpisodes: 2, deterministic: false });
  expect(returns).toHaveLength(2);
  const after = (await algorithm.getState()).tensors['policies/default/weights.safetensors'];
  expect(after).not.toEqual(before);
  // Whatever trains can be saved, and goes on from there.
  const path = await algorithm.save(join(temporaryFolder(), 'checkpoint'));
  await algorithm.setState((await loadCheckpoint(path)).content);
  await algorithm.train();
}

describe('environments with any spaces train', () => {
  it.each(['box', 'image', 'discrete', 'discrete from 5', 'multi-discrete', 'multi-binary', 'dict', 'tuple'])(
    'observations: %s',
    async (observation) => trainAFew({ observation }),
  );

  it.each([
    'bounded box',
    'half bounded box',
    'unbounded box',
    'discrete',
    'discrete from 5',
    'multi-discrete',
    'multi-binary',
    'dict of discrete',
    'tuple of boxes',
    'tuple',
    'dict',
  ])('actions: %s', async (action) => trainAFew({ action }));

  it('action masks', async () => trainAFew({ masks: true }));

  it('Dict observations and Tuple actions in worker threads', async () =>
    trainAFew({ observation: 'dict', action: 'tuple of boxes' }, 2));

  it('Dict observations, masks and image observations with the TensorFlow engine', async () => {
    const wasm = { engine: 'tensorflow', backend: 'wasm' } as const;
    await trainAFew({ observation: 'dict', masks: true }, 0, wasm);
    await trainAFew({ observation: 'image', action: 'multi-binary' }, 0, wasm);
  });
});

describe('action spaces that PPO cannot handle', () => {
  it('are refused by name, with a way out', async () => {
    await expect(build({ action: 'image' })).rejects.toMatchObject({ code: 'CONFIG_ACTION_SPACE' });
    await expect(build({ action: 'box', masks: true })).rejects.toMatchObject({ code: 'CONFIG_ACTION_MASK' });
  });
});
