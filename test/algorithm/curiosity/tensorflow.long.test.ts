/** Curiosity beside a policy on TensorFlow: vectors and pictures, and back from a checkpoint. */
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { PPOConfig } from '../../../src/index.ts';

const PICTURES = fileURLToPath(new URL('../../conformance/picture-env.ts', import.meta.url));

it.each([
  ['vectors', 'SparseMaze-v0', { curiosity: 'icm' }],
  ['pictures, with the convolutions of the policy', PICTURES, { curiosity: 'rnd', network: 'conv' }],
] as const)('learns from %s', async (_, env, training) => {
  const build = () =>
    new PPOConfig()
      .environment(env)
      .envRunners({ numEnvRunners: 0, numEnvs: 4, rolloutLength: 12 })
      .training({ numEpochs: 3, minibatchSize: 20, hiddenSizes: [8], curiosityHiddenSizes: [8], ...training })
      .training({ curiosityFeatures: 4, curiosityLearningRate: 0.01 })
      .learners({ engine: 'tensorflow', backend: 'wasm' })
      .build();
  const algorithm = await build();
  const losses: number[] = [];
  for (let k = 0; k < 5; k++) losses.push((await algorithm.train()).metrics['train/predictionLoss']);
  expect(losses[4]).toBeLessThan(losses[0]);
  const state = await algorithm.getState();
  const { metrics: expected } = await algorithm.train();
  await algorithm.stop();
  const other = await build();
  await other.setState(state);
  const { metrics } = await other.train();
  await other.stop();
  for (const key of ['train/predictionLoss', 'train/intrinsicRewardMean', 'train/intrinsicValueLoss'])
    expect(metrics[key]).toBe(expected[key]);
});
