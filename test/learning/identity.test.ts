/** Toys with a known optimum, one for each action distribution: seconds each, and no luck needed. */
import { describe, expect, test } from 'vitest';
import type { Env } from '../../src/env/env.ts';
import { type Algorithm, PPOConfig } from '../../src/index.ts';
import { allowance, continuousIdentity, discreteIdentity, STEPS } from './identity-env.ts';

type Training = Parameters<InstanceType<typeof PPOConfig>['training']>[0];

function build(
  env: () => Env,
  seed: number,
  training: Training = {},
): Promise<Pick<Algorithm, 'train' | 'evaluate' | 'getState' | 'stop'>> {
  return new PPOConfig()
    .environment(env)
    .envRunners({ numEnvs: 16, rolloutLength: 32 })
    .training({
      learningRate: 3e-3,
      gamma: 0,
      gaeLambda: 0,
      numEpochs: 8,
      minibatchSize: 128,
      hiddenSizes: [32],
      ...training,
    })
    .learners({ engine: 'simd' })
    .debugging({ seed })
    .build();
}

/** Mean return of 100 evaluation episodes after so many iterations. */
async function learn(env: () => Env, seed: number, numIterations: number, training: Training = {}) {
  const algorithm = await build(env, seed, training);
  const before = await algorithm.evaluate({ numEpisodes: 100 });
  for (let k = 0; k < numIterations; k++) await algorithm.train();
  const after = await algorithm.evaluate({ numEpisodes: 100 });
  const sampled = await algorithm.evaluate({ numEpisodes: 100, deterministic: false });
  await algorithm.stop();
  return { before: before.returnMean, after: after.returnMean, sampled: sampled.returnMean };
}

describe.each([100, 101])('seed %i', (seed) => {
  test.each<[string, () => Env, number]>([
    ['categorical', () => discreteIdentity('discrete'), 25],
    ['multi-categorical', () => discreteIdentity('multi-discrete'), 25],
    ['bernoulli', () => discreteIdentity('multi-binary'), 25],
    ['masked categorical', () => discreteIdentity('discrete', true), 25],
  ])('%s finds the optimum', async (_, env, numIterations) => {
    const { before, after, sampled } = await learn(env, seed, numIterations);
    expect(before).toBeLessThan(0.8 * STEPS);
    expect(after).toBe(STEPS);
    expect(sampled).toBeGreaterThan(0.9 * STEPS);
  });

  test.each<[string, Training, number]>([
    ['gaussian', {}, 60],
    ['squashed gaussian', { squashActions: true }, 60],
    ['gSDE', { useGsde: true, gsdeSampleFrequency: 1, logStdInit: -1 }, 60],
    ['squashed gSDE', { useGsde: true, gsdeSampleFrequency: 1, logStdInit: -1, squashActions: true }, 60],
  ])('%s comes near the optimum', async (_, training, numIterations) => {
    const { before, after } = await learn(continuousIdentity, seed, numIterations, training);
    expect(before).toBeLessThan(-4); // E|t|^2 = 2/3 a step
    expect(after).toBeGreaterThan(-0.005 * STEPS);
  });
});

describe('what follows an episode that a time limit cut counts; what follows an end does not', () => {
  test.each([
    // V = 1 + gamma V: all steps look alike, and nothing ever ends
    ['truncated', 1 / (1 - 0.8)],
    // V = mean over the 5 positions of what is left: 1, 1.8, 2.44, 2.952, 3.3616
    ['terminated', (1 + 1.8 + 2.44 + 2.952 + 3.3616) / 5],
  ] as const)('%s: the critic learns %d', async (end, expected) => {
    const algorithm = await build(() => allowance(end), 100, {
      gamma: 0.8,
      gaeLambda: end === 'truncated' ? 0.9 : 1,
    });
    for (let k = 0; k < 40; k++) await algorithm.train();
    const { tensors } = await algorithm.getState();
    const weights = tensors['policies/default/weights.safetensors'];
    const hidden = Array.from({ length: 32 }, (_, j) =>
      Math.tanh(weights['critic/0/kernel'].data[j] + weights['critic/0/bias'].data[j]),
    );
    const value = hidden.reduce(
      (sum, h, j) => sum + h * weights['critic/head/kernel'].data[j],
      weights['critic/head/bias'].data[0],
    );
    expect(value).toBeGreaterThan(0.93 * expected);
    expect(value).toBeLessThan(1.07 * expected);
    await algorithm.stop();
  });
});
