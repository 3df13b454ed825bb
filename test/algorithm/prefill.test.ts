import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { registerShippedEnvs } from '../../envs/index.ts';
import { createActionMapping, createActionStoring } from '../../src/acting/action-mapping.ts';
import { createRandomPlayer, recordEpisodes } from '../../src/algorithm/record-episodes.ts';
import { resolveEnv } from '../../src/env/env-source.ts';
import { PPOConfig } from '../../src/index.ts';
import type { ActingSpec } from '../../src/policy/policy-spec.ts';
import { saveEpisodes } from '../../src/replay/episode-file.ts';
import { makeActingSpec } from '../reference/policy-specs.ts';
import { temporaryFolder } from '../temporary-folder.ts';
import { openQLearning } from './q-learning.ts';

registerShippedEnvs();

const SPEC = makeActingSpec({
  kind: 'epsilon-greedy',
  sizes: [2],
  numAtoms: 1,
  support: null,
  dueling: false,
});
const config = (prefill: string | null, seed = 5) => ({
  environment: { env: 'CartPole-v1' },
  envRunners: { numEnvRunners: 0, numEnvs: 2 },
  learners: { numLearnerThreads: 1 },
  debugging: { seed },
  training: {
    ...{ learningStarts: 40, batchSize: 32, updatesPerStep: 0.5, stepsPerIteration: 100 },
    ...(prefill === null ? {} : { prefill, prefillSteps: 301 }),
  },
});

const record = (numSteps: number, spec: ActingSpec = SPEC, env = 'CartPole-v1') =>
  recordEpisodes({
    source: resolveEnv(env, {}),
    player: createRandomPlayer(spec),
    numSteps,
    seed: 3,
    envIndex: 9,
  });

/** Replay's size after the first iteration, and the weights. */
async function firstIteration(prefill: string | null) {
  const algorithm = await openQLearning(config(prefill));
  const { metrics, numEnvSteps } = await algorithm.train();
  const { tensors } = await algorithm.getState();
  return {
    size: metrics['replay/size'],
    numEnvSteps,
    weights: tensors['policies/default/weights.safetensors'],
  };
}

describe('recording', () => {
  it('keeps whole episodes, each with its true last observation', async () => {
    const episodes = await record(200);
    const lengths = episodes.map(({ rewards }) => rewards.length);
    expect(lengths.reduce((a, b) => a + b)).toBe(200);
    expect(lengths.length).toBeGreaterThan(4);
    for (const [k, { observations, rewards, actions, terminated }] of episodes.entries()) {
      expect(observations).toHaveLength(4 * (rewards.length + 1));
      expect(actions).toHaveLength(rewards.length);
      expect(terminated).toBe(k < episodes.length - 1); // the last one is cut
      const [position, , angle] = observations.subarray(-4);
      if (terminated) expect(Math.abs(position) > 2.4 || Math.abs(angle) > 0.2094).toBe(true);
      expect(observations[0]).not.toBe(episodes[(k + 1) % episodes.length].observations[0]);
    }
    expect(await record(200)).toEqual(episodes);
  });

  it('comes back from the bounds of the environment as it was stored', async () => {
    const bounds = { low: [-2, 0], high: [2, 1] };
    const spec = makeActingSpec({ kind: 'squashed-gaussian', size: 2, ...bounds });
    const stored = Float32Array.of(-0.5, 0.25, 1, -1);
    const given = new Float32Array(4);
    const back = new Float32Array(4);
    for (const at of [0, 2]) {
      createActionMapping(spec)(stored, at, given, at);
      createActionStoring(spec)(given, at, back, at);
    }
    expect([...given]).toEqual([-1, 0.625, 2, 0]);
    expect([...back]).toEqual([...stored]);
  });
});

describe('prefill', () => {
  it('comes before the first step of the run, and counts as none', async () => {
    const plain = await firstIteration(null);
    const filled = await firstIteration('random');
    expect(plain.size).toBe(100);
    expect(filled.size).toBe(100 + 300); // 301 steps over two rows
    expect(filled.numEnvSteps).toBe(100);
    expect(filled.weights).not.toEqual(plain.weights);
    expect(await firstIteration('random')).toEqual(filled);
  });

  it('takes recorded episodes whole', async () => {
    const path = join(temporaryFolder(), 'episodes.safetensors');
    await saveEpisodes(path, await record(150));
    expect((await firstIteration(path)).size).toBe(100 + 150);
  });

  it('lets the policy of a checkpoint play, of another algorithm too', async () => {
    const folder = temporaryFolder();
    const ppo = await new PPOConfig()
      .environment('CartPole-v1')
      .envRunners({ numEnvRunners: 0, numEnvs: 2, rolloutLength: 32 })
      .training({ hiddenSizes: [8] })
      .build();
    const path = await ppo.save(join(folder, 'ppo'));
    await ppo.stop();
    expect((await firstIteration(path)).size).toBe(100 + 300);
    const algorithm = await openQLearning({ ...config(path), environment: { env: 'Acrobot-v1' } });
    await expect(algorithm.train()).rejects.toMatchObject({ code: 'CONFIG_PREFILL' });
  });

  it('is not done again by a run that resumes', async () => {
    const path = join(temporaryFolder(), 'episodes.safetensors');
    await saveEpisodes(path, await record(150));
    const whole = await openQLearning(config(path));
    await whole.train();
    const saved = await whole.getState();
    rmSync(path);
    const resumed = await openQLearning(config(path));
    await resumed.setState(saved);
    const [expected, got] = [await whole.train(), await resumed.train()];
    expect(got.episodes).toEqual(expected.episodes);
    expect(got.metrics['replay/size']).toBe(expected.metrics['replay/size']);
  });
});
