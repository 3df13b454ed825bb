import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { cartPole } from '../../envs/cart-pole.ts';
import { registerShippedEnvs } from '../../envs/index.ts';
import type { Algorithm, TrainResult } from '../../src/algorithm/algorithm.ts';
import { loadPolicy } from '../../src/algorithm/load-policy.ts';
import type { CheckpointContent } from '../../src/checkpoint/content.ts';
import type { Env } from '../../src/env/env.ts';
import { DQNConfig } from '../../src/index.ts';
import type { JsonObject } from '../../src/json.ts';
import { episodeSeed } from '../../src/random/streams.ts';
import { temporaryFolder } from '../temporary-folder.ts';
import { openQLearning } from './q-learning.ts';

registerShippedEnvs();

const config = (
  options: { numEnvRunners?: number; lag?: number; numEnvs?: number; trainEvery?: number } = {},
) => ({
  environment: { env: 'CartPole-v1' },
  envRunners: { numEnvRunners: options.numEnvRunners ?? 0, numEnvs: options.numEnvs ?? 3 },
  learners: { numLearnerThreads: 1 },
  debugging: { seed: 5, poison: true },
  training: {
    learningStarts: 60,
    trainEvery: options.trainEvery ?? 4,
    batchSize: 16,
    updatesPerStep: 0.25,
    stepsPerIteration: 300,
    lag: options.lag ?? 0,
  },
});

/** Rewards whose gradients overflow float32. */
const hugeRewards = (): Env => {
  const env = cartPole();
  return { ...env, step: (action) => ({ ...env.step(action as number), reward: 3e38 }) };
};

/** What does not depend on the clock. */
const timeless = ({ metrics, ...rest }: TrainResult) => ({
  ...rest,
  metrics: Object.fromEntries(Object.entries(metrics).filter(([key]) => !key.startsWith('time/'))),
});

async function run(algorithm: Algorithm, numIterations: number) {
  const results = [];
  for (let k = 0; k < numIterations; k++) results.push(timeless(await algorithm.train()));
  return { results, content: await stateOf(algorithm) };
}

async function stateOf(algorithm: Algorithm) {
  const { tensors, json } = await algorithm.getState();
  const { 'config.json': _, ...rest } = json; // has the number of runners
  return { tensors, json: rest } satisfies Partial<CheckpointContent>;
}

it.each([true, false])(
  'says what a checkpoint without its buffer means, checkpointReplay %s',
  async (isSaved) => {
    const algorithm = await new DQNConfig()
      .environment('CartPole-v1')
      .envRunners({ numEnvRunners: 0 })
      .training({ checkpointReplay: isSaved })
      .build();
    expect(
      algorithm.banner.some((line) => /a resume begins with an empty one and is another run/.test(line)),
    ).toBe(!isSaved);
    await algorithm.stop();
  },
);

describe('an off-policy algorithm', () => {
  it.each([
    [0, [1, 2, 3]],
    [1, [2]],
  ])('is the same run for any number of runners: lag %i', async (lag, runners) => {
    const alone = await run(await openQLearning(config({ lag })), 3);
    expect(alone.results[2].metrics['train/numUpdates']).toBe(75);
    for (const numEnvRunners of runners)
      expect(await run(await openQLearning(config({ lag, numEnvRunners })), 3)).toEqual(alone);
  });

  it.each([
    [0, 2],
    [1, 0],
  ])('goes on from a checkpoint as if it had not stopped: lag %i, %i runners', async (lag, numEnvRunners) => {
    const options = { lag, numEnvRunners };
    const whole = await openQLearning(config(options));
    await run(whole, 3); // 900 steps: the replay buffer of 700 has come round, episodes are in the middle
    const saved = await whole.getState();
    const rest = await run(whole, 2);
    const resumed = await openQLearning(config({ ...options, numEnvRunners: 2 - numEnvRunners }));
    await resumed.setState(saved);
    expect(await run(resumed, 2)).toEqual(rest);
  });

  it('tells what a report promises', async () => {
    const algorithm = await openQLearning(config());
    const first = await algorithm.train();
    expect(first.numEnvSteps).toBe(300);
    expect(first.metrics).toMatchObject({ 'train/numUpdates': 60, 'replay/size': 300 });
    expect(first.metrics['train/gradNorm/q']).toBeGreaterThan(0);
    expect(first.metrics['time/rolloutMs']).toBeGreaterThan(0);
    expect(algorithm.banner[0]).toMatch(
      /q-learning on CartPole-v1: 3 environments x 4 steps in process, mlp 24 relu/,
    );
    const { returns } = await algorithm.evaluate({ numEpisodes: 3 });
    expect(returns).toHaveLength(3);
    expect((await algorithm.evaluate({ numEpisodes: 3 })).returns).toEqual(returns);
    const second = await algorithm.train();
    expect(second.metrics['replay/size']).toBe(600);
  });

  it("acts in somebody else's program", async () => {
    const algorithm = await openQLearning(config());
    await algorithm.train();
    const folder = await algorithm.save(`${temporaryFolder()}/checkpoint`);
    const policy = await loadPolicy(folder);
    const actor = policy.actor();
    expect(policy.spec.distribution.kind).toBe('epsilon-greedy');
    const { returns } = await algorithm.evaluate({ numEpisodes: 1, seed: 3 });
    let length = 0;
    const env = cartPole();
    let { observation } = env.reset({ seed: episodeSeed(3, 0, 0, 'evaluation') });
    for (let isOver = false; !isOver; length++) {
      const step = env.step(actor.act(observation) as number);
      observation = step.observation;
      isOver = step.terminated || step.truncated;
    }
    expect(length).toBe(returns[0]);
  });

  it('leaves nothing half done when the learner fails', async () => {
    const algorithm = await openQLearning({ ...config(), environment: { env: hugeRewards } });
    await expect(algorithm.train()).rejects.toMatchObject({ code: 'ENGINE_NON_FINITE' });
    await expect(algorithm.getState()).rejects.toMatchObject({ code: 'CHECKPOINT_SPOILT' });
  });

  it('replaces a lost worker in the middle of a fragment, and goes on with the same run', async () => {
    const env = fileURLToPath(new URL('../rollout/fixtures/troubled-env.ts', import.meta.url));
    const marker = join(temporaryFolder(), 'marker');
    const trouble = { trouble: 'exit', atStep: 3, spare: 40, marker };
    const open = (envOptions: JsonObject, numEnvRunners: number) =>
      openQLearning({ ...config({ numEnvRunners, lag: 1 }), environment: { env, envOptions } });
    const expected = await run(await open({}, 0), 2);
    const { results, content } = await run(await open(trouble, 2), 2);
    expect(existsSync(`${marker}.40`)).toBe(true);
    expect(content.tensors).toEqual(expected.content.tensors);
    expect(results.flatMap(({ workerFailures = [] }) => workerFailures)).toMatchObject([
      { isRecovered: true },
    ]);
  });
});
