import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Algorithm } from '../../src/algorithm/algorithm.ts';
import type { CheckpointContent } from '../../src/checkpoint/content.ts';
import { Box, Discrete, type Env, PPOConfig } from '../../src/index.ts';
import spacesEnv from './fixtures/spaces-env.ts';

const WALK = fileURLToPath(new URL('../rollout/fixtures/troubled-env.ts', import.meta.url));

function configFor(env = WALK) {
  return new PPOConfig()
    .environment(env)
    .envRunners({
      numEnvRunners: 0,
      numEnvs: 3,
      rolloutLength: 20,
      normalizeObservations: true,
      normalizeRewards: true,
    })
    .training({ numEpochs: 2, minibatchSize: 20, hiddenSizes: [8] })
    .learners({ engine: 'simd' });
}

async function open(config = configFor()): Promise<Algorithm> {
  const algorithm = await config.build();
  onTestFinished(() => algorithm.stop());
  return algorithm;
}

/** As a file would give it back. */
function stored(content: CheckpointContent): CheckpointContent {
  return { ...content, json: JSON.parse(JSON.stringify(content.json)) };
}

describe('getState and setState', () => {
  it('give the same content back', async () => {
    const first = await open();
    for (let k = 0; k < 2; k++) await first.train();
    const content = stored(await first.getState());
    const second = await open();
    await second.setState(content);
    const again = await second.getState();
    expect(again.tensors).toEqual(content.tensors);
    expect(again.json['state.json']).toEqual(content.json['state.json']);
    expect(second.iteration).toBe(2);
    expect(second.numEnvSteps).toBe(120);
  });

  it('give content that training does not change any more', async () => {
    const algorithm = await open();
    await algorithm.train();
    const content = await algorithm.getState();
    const copy = structuredClone(content);
    await algorithm.train();
    await algorithm.train();
    expect(content).toEqual(copy);
  });

  it('go back in time', async () => {
    const algorithm = await open();
    await algorithm.train();
    const content = await algorithm.getState();
    const once = await algorithm.train();
    await algorithm.train();
    await algorithm.setState(content);
    const again = await algorithm.train();
    const withoutTimes = (metrics: Readonly<Record<string, number>>) =>
      Object.entries(metrics).filter(([key]) => !key.startsWith('time/'));
    expect(withoutTimes(again.metrics)).toEqual(withoutTimes(once.metrics));
    expect(again.episodes).toEqual(once.episodes);
    expect(again.numEpisodes).toBe(once.numEpisodes);
  });

  it.each<[string, () => Promise<Algorithm>, RegExp]>([
    [
      'another network',
      () => open(configFor().training({ hiddenSizes: [9] })),
      /hiddenSizes.*8.*in the checkpoint.*9.* here/,
    ],
    [
      'another environment',
      () => open(configFor('CartPole-v1')),
      /environment: ".*troubled-env.ts" in the checkpoint, "CartPole-v1" here/,
    ],
    ['another seed', () => open(configFor().debugging({ seed: 99 })), /seed: 0 in the checkpoint, 99 here/],
    [
      'another activation',
      () => open(configFor().training({ activation: 'relu' })),
      /activation: "tanh" in the checkpoint, "relu" here/,
    ],
  ])('refuse %s by name and leave everything as it was', async (_, openOther, message) => {
    const algorithm = await open();
    await algorithm.train();
    const content = stored(await algorithm.getState());
    const other = await openOther();
    await other.train();
    const before = await other.getState();
    await expect(other.setState(content)).rejects.toMatchObject({
      name: 'CheckpointError',
      code: 'CHECKPOINT_MISMATCH',
    });
    await expect(other.setState(content)).rejects.toThrow(message);
    expect(await other.getState()).toEqual(before);
    await other.train();
  });

  it('refuse another number of environments, and a policy alone', async () => {
    const algorithm = await open();
    const content = stored(await algorithm.getState());
    const other = await open(configFor().envRunners({ numEnvs: 4 }));
    await expect(other.setState(content)).rejects.toMatchObject({
      code: 'CHECKPOINT_ENVIRONMENTS',
      message: expect.stringMatching(/3 environments and numEnvs is 4/),
    });
    const weights = 'policies/default/weights.safetensors';
    const policyOnly = { ...content, tensors: { [weights]: content.tensors[weights] } };
    await expect(algorithm.setState(policyOnly)).rejects.toMatchObject({ code: 'CHECKPOINT_INCOMPLETE' });
  });

  it('keep a schedule that was replaced', async () => {
    const first = await open();
    first.setSchedule?.('learningRate', {
      schedule: 'piecewise',
      points: [
        [0, 1e-3],
        [120, 5e-4],
      ],
    });
    await first.train();
    const second = await open();
    await second.setState(stored(await first.getState()));
    const { metrics } = await second.train();
    expect(metrics['train/learningRate']).toBeCloseTo(7.5e-4, 12); // at step 60
    expect(() => second.setSchedule?.('gamma', 0.5)).toThrow(
      /learningRate, clipRange, entropyCoeff.*`gamma`/,
    );
    expect(() => second.setSchedule?.('clipRange', 7)).toThrow(
      expect.objectContaining({ code: 'CONFIG_SCHEDULE' }),
    );
  });
});

describe('an option given on resume', () => {
  it('counts, also where the schedule was replaced during the run', async () => {
    const first = await open();
    await first.train();
    const resumed = async (clipRange: number) => {
      const second = await open(configFor().training({ learningRate: 1e-5, clipRange }));
      await second.setState(stored(await first.getState()));
      return (await second.train()).metrics;
    };
    expect(await resumed(0.3)).toMatchObject({ 'train/learningRate': 1e-5, 'train/clipRange': 0.3 });
    first.setSchedule?.('clipRange', 0.1);
    expect(await resumed(0.3)).toMatchObject({ 'train/learningRate': 1e-5, 'train/clipRange': 0.3 });
  });
});

describe('factory functions', () => {
  const coin = (): Env => ({
    observationSpace: new Box(0, 1, [1]),
    actionSpace: new Discrete(2),
    reset: () => ({ observation: [0] }),
    step: (action) => ({ observation: [1], reward: Number(action), terminated: true, truncated: false }),
  });

  it('train in process, by default, too', async () => {
    for (const numEnvRunners of [0, 'auto'] as const) {
      const config = new PPOConfig()
        .environment(coin)
        .envRunners({ numEnvRunners, numEnvs: 2, rolloutLength: 32 });
      const algorithm = await open(config as never);
      expect((await algorithm.train()).episodes).toHaveLength(64);
      expect(algorithm.banner[0]).toContain('coin');
      expect(algorithm.banner[0]).toContain('in process');
    }
  });

  it('close over what they need', async () => {
    const options = { observation: 'tuple' };
    const config = new PPOConfig()
      .environment(() => spacesEnv(options))
      .envRunners({ numEnvs: 2, rolloutLength: 32 });
    const algorithm = await open(config as never);
    await algorithm.train();
  });

  it('are refused for worker threads, with both ways out', async () => {
    const config = new PPOConfig().environment(coin).envRunners({ numEnvRunners: 2 });
    await expect(config.build()).rejects.toMatchObject({
      name: 'ConfigError',
      message: expect.stringMatching(/numEnvRunners is 2: set it to 0, or .*'\.\/my-env\.ts#name'/),
    });
  });
});
