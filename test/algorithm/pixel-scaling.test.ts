/** Bytes of [0, high] are read as numbers of [0, 1]: a run on them is that on an environment which gives byte / high itself. */
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Algorithm } from '../../src/algorithm/algorithm.ts';
import { openEnvRandom } from '../../src/env/env-random.ts';
import { Box, Discrete, DQNConfig, type Env, PPOConfig } from '../../src/index.ts';

/** A power of two, so that byte / high is exact and both runs have to be the same to the bit. */
const HIGH = 128;

function pictures(isScaled: boolean): () => Env {
  return () => {
    let random = openEnvRandom(0);
    let t = 0;
    const observe = () => {
      const bytes = Array.from({ length: 12 }, () => random.integer(HIGH + 1));
      return isScaled ? bytes.map((byte) => byte / HIGH) : Uint8Array.from(bytes);
    };
    return {
      observationSpace: isScaled ? new Box(0, 1, [2, 2, 3]) : new Box(0, HIGH, [2, 2, 3], 'uint8'),
      actionSpace: new Discrete(3),
      reset({ seed = 0 } = {}) {
        random = openEnvRandom(seed);
        t = 0;
        return { observation: observe() };
      },
      step(action) {
        t += 1;
        return { observation: observe(), reward: Number(action) - 1, terminated: t === 7, truncated: false };
      },
    };
  };
}

type Build = (env: () => Env) => Promise<Algorithm>;
const ppo =
  (engine: 'simd' | 'tensorflow'): Build =>
  (env) =>
    new PPOConfig()
      .environment(env)
      .envRunners({ numEnvs: 2, rolloutLength: 16 })
      .training({ numEpochs: 2, minibatchSize: 16, hiddenSizes: [8], sharedLayers: false })
      .learners(engine === 'simd' ? { engine } : { engine, backend: 'wasm' })
      .build();
const dqn: Build = (env) =>
  new DQNConfig()
    .environment(env)
    .envRunners({ numEnvs: 2 })
    .training({ learningStarts: 32, replayCapacity: 200, batchSize: 16, hiddenSizes: [8] })
    .learners({ engine: 'simd' })
    .build();

async function weightsAfter(build: Build, env: () => Env): Promise<Record<string, number[]>> {
  const algorithm = await build(env);
  onTestFinished(() => algorithm.stop());
  for (let k = 0; k < 3; k++) await algorithm.train();
  const tensors = (await algorithm.getState()).tensors['policies/default/weights.safetensors'];
  const weights = Object.entries(tensors).filter(([name]) => !name.startsWith('observation/'));
  return Object.fromEntries(weights.map(([name, { data }]) => [name, [...(data as Float32Array)]]));
}

describe('pixels are divided by the upper bound of their space', () => {
  it.each([
    ['PPO on the kernels', ppo('simd')],
    ['PPO on TensorFlow', ppo('tensorflow')],
    ['DQN', dqn],
  ] as const)('%s', async (_, build) => {
    const scaled = await weightsAfter(build, pictures(true));
    const bytes = await weightsAfter(build, pictures(false));
    expect(bytes).toEqual(scaled);
    expect(Object.values(bytes).flat().every(Number.isFinite)).toBe(true);
  });
});
