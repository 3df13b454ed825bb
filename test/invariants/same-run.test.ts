/** The same seed gives the same run, bit for bit, whatever the threads do: what test/conformance does not ask of every algorithm. */
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { PPOConfig } from '../../src/index.ts';
import type { JsonObject } from '../../src/json.ts';
import { comparable } from './run-content.ts';

const WALK = fileURLToPath(new URL('../rollout/fixtures/troubled-env.ts', import.meta.url));

interface Setup {
  readonly env?: string;
  readonly envOptions?: JsonObject;
  readonly numEnvRunners: number;
  readonly numLearnerThreads?: number;
  readonly nativeKernels?: boolean;
  readonly engine?: 'simd' | 'tensorflow';
  readonly seed?: number;
}

/** The state after three iterations, without the clock. */
async function run({
  env = WALK,
  envOptions = {},
  seed = 21,
  engine = 'simd',
  nativeKernels = true,
  ...threads
}: Setup): Promise<object> {
  const algorithm = await new PPOConfig()
    .environment(env, envOptions)
    .envRunners({
      numEnvRunners: threads.numEnvRunners,
      numEnvs: 9,
      rolloutLength: 24,
      normalizeObservations: true,
      normalizeRewards: true,
    })
    .training({ numEpochs: 3, minibatchSize: 64, entropyCoeff: 0.01, hiddenSizes: [32, 32] })
    .learners(
      engine === 'simd'
        ? { engine, nativeKernels, numLearnerThreads: threads.numLearnerThreads ?? 1 }
        : { engine, backend: 'wasm' },
    )
    .debugging({ seed, poison: true })
    .build();
  try {
    const metrics = [];
    for (let k = 0; k < 3; k++) metrics.push((await algorithm.train()).metrics);
    const learning = metrics.map((row) =>
      Object.entries(row).filter(([key]) => /^(train|rollout)\//.test(key)),
    );
    return { content: comparable(await algorithm.getState()), learning };
  } finally {
    await algorithm.stop();
  }
}

describe('the SIMD engine', () => {
  test('0 and 8 environment runners, each step of which takes as long as it likes', async () => {
    const expected = await run({ numEnvRunners: 0 });
    expect(await run({ numEnvRunners: 0, seed: 22 })).not.toEqual(expected); // or this could not fail
    expect(await run({ numEnvRunners: 8, envOptions: { busyMs: 1 } })).toEqual(expected);
  }, 120_000);

  test('1 and 2 learner threads, a helper that comes and goes', async () => {
    const expected = await run({ env: 'Pendulum-v1', numEnvRunners: 0 });
    expect(await run({ env: 'Pendulum-v1', numEnvRunners: 2, numLearnerThreads: 2 })).toEqual(expected);
    expect(await run({ env: 'Pendulum-v1', numEnvRunners: 3, numLearnerThreads: 3 })).toEqual(expected);
  });

  test.each(['CartPole-v1', 'Pendulum-v1'])(
    '%s with kernels of machine code and of WebAssembly',
    async (env) => {
      const expected = await run({ env, numEnvRunners: 2, nativeKernels: false });
      expect(await run({ env, numEnvRunners: 2, nativeKernels: true })).toEqual(expected);
    },
  );
});

test('the TensorFlow engine on wasm, in process and in threads', async () => {
  const expected = await run({ env: 'CartPole-v1', engine: 'tensorflow', numEnvRunners: 0 });
  expect(await run({ env: 'CartPole-v1', engine: 'tensorflow', numEnvRunners: 2 })).toEqual(expected);
});
