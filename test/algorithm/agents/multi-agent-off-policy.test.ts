/** Off-policy algorithms among several agents: the numbers of one agent, the same run however it is made, learning, what is refused. */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import {
  Algorithm,
  DQNConfig,
  loadPolicy,
  PPOConfig,
  SACConfig,
  SACDiscreteConfig,
  TD3Config,
  TQCConfig,
} from '../../../src/index.ts';
import type { Metrics } from '../../../src/metrics/metric-keys.ts';
import { replayBytes } from '../../../src/replay/replay-spec.ts';
import { rowRingsSpec } from '../../../src/replay/row-rings.ts';
import { contentAfter } from '../../invariants/run-content.ts';
import { temporaryFolder } from '../../temporary-folder.ts';
import { MASTER_SEED } from './fixtures/copies.ts';

const path = (name: string) => fileURLToPath(new URL(name, import.meta.url));
const COPIES = path('./fixtures/copies.ts');
const PAIR = path('./fixtures/pair-env.ts');
const AIM = path('./fixtures/aim-env.ts');
const BOTS = path('./fixtures/bots.ts');

/** A game in turns, with two that learn, a bot, and one that keeps its weights. */
const BOARD = {
  environment: { env: 'TicTacToe' },
  multiAgent: {
    policies: {
      main: {},
      small: { hiddenSizes: [8], nStep: 1 },
      still: {},
      bot: `${BOTS}#first`,
      chance: 'random',
    },
    policyFor: { x: ['main', 'small', 'bot', 'main'], o: ['small', 'chance', 'main', 'still'] },
    policiesToTrain: ['main', 'small'],
  },
};

/** Likewise with continuous actions of two kinds, for each of which somebody learns. */
const RANGE = {
  environment: { env: AIM },
  multiAgent: {
    policies: {
      main: {},
      small: { hiddenSizes: [8], nStep: 1 },
      still: {},
      bot: `${BOTS}#half`,
      echo: {},
      chance: 'random',
    },
    policyFor: { archer: ['main', 'small', 'bot', 'still'], echo: ['echo', 'chance'] },
    policiesToTrain: ['main', 'small', 'echo'],
  },
};

const CHOICES = { game: BOARD, single: 'CartPole-v1', copies: COPIES, envOptions: {} };
const NUMBERS = {
  game: RANGE,
  single: 'Pendulum-v1',
  copies: `${COPIES}#pendulums`,
  envOptions: { maxEpisodeSteps: 20 },
};

/** Options that bring a stream or state of their own: deviations, a noise that drifts, seeds of dropout. */
const SUBJECTS = {
  dqn: { Config: DQNConfig, worlds: CHOICES, training: { epsilon: 0.2, targetInterval: 64, double: true } },
  'sac-discrete': { Config: SACDiscreteConfig, worlds: CHOICES, training: {} },
  sac: { Config: SACConfig, worlds: NUMBERS, training: { useGsde: true, gsdeSampleFrequency: 3 } },
  td3: { Config: TD3Config, worlds: NUMBERS, training: { noiseProcess: 'ornstein-uhlenbeck' } },
  tqc: {
    Config: TQCConfig,
    worlds: NUMBERS,
    training: { numQuantiles: 5, numDroppedQuantiles: 1, criticDropout: 0.2 },
  },
} as const;
type Name = keyof typeof SUBJECTS;
const NAMES = Object.keys(SUBJECTS) as Name[];

/** Later options over earlier ones. @param own default: the subject's. */
const build = (name: Name, layers: object, training: object = {}, own: object = SUBJECTS[name].training) =>
  new SUBJECTS[name].Config({
    envRunners: { numEnvRunners: 0, numEnvs: 4 },
    training: {
      ...{ hiddenSizes: [12], gamma: 0.9, nStep: 3, batchSize: 8, trainEvery: 4, gradientSteps: 2 },
      ...{ updatesPerStep: null, learningStarts: 32, stepsPerIteration: 64, replayCapacity: 200 },
      ...own,
      ...training,
    },
    debugging: { seed: MASTER_SEED, deterministic: true },
    ...layers,
  } as never).build();

describe.each(NAMES)('%s', (name) => {
  const { game, single, copies, envOptions } = SUBJECTS[name].worlds;

  test('k copies of an environment as k agents learn what k environments do, to the bit', async () => {
    const weights = async (env: string, numEnvs: number) => {
      // An environment's step is six agents' steps here.
      const steps = (count: number) => (count * numEnvs) / 6;
      const algorithm = await build(
        name,
        {
          environment: { env, envOptions },
          envRunners: { numEnvRunners: 0, numEnvs, normalizeObservations: true },
        },
        {
          learningStarts: steps(48),
          stepsPerIteration: steps(240),
          replayCapacity: 300, // 50 for each: they go around
          ...(name === 'dqn' && { targetInterval: steps(240) }),
        },
      );
      for (let k = 0; k < 4; k++) await algorithm.train();
      const { tensors } = await algorithm.getState();
      await algorithm.stop();
      return [tensors['policies/default/weights.safetensors'], tensors['learner/model.safetensors']];
    };
    expect(await weights(copies, 1)).toEqual(await weights(single, 6));
  });

  test.each([0, 1])(
    'the same run for any number of worker threads, and over a resume, with lag %i',
    async (lag) => {
      const whole = await contentAfter(await build(name, game, { lag }), 4);
      for (const numEnvRunners of lag === 0 ? [1, 4] : [2]) {
        const envRunners = { numEnvRunners, numEnvs: 4 };
        expect(await contentAfter(await build(name, { ...game, envRunners }, { lag }), 4)).toEqual(whole);
      }
      const directory = join(temporaryFolder(), `half-${lag}`);
      const half = await build(name, game, { lag });
      for (let k = 0; k < 2; k++) await half.train();
      await half.save(directory);
      await half.stop();
      const resumed = await Algorithm.fromCheckpoint(directory, {}, { trust: true });
      expect(await contentAfter(resumed, 2)).toEqual(whole);
    },
  );

  test('each learns from its own steps; those that only play have no buffer', async () => {
    const learning = game.multiAgent.policiesToTrain;
    const algorithm = await build(name, game);
    const told: Metrics[] = [];
    for (let k = 0; k < 3; k++) told.push((await algorithm.train()).metrics);
    const { json, tensors } = await algorithm.getState();
    await algorithm.stop();
    const buffers = Object.keys(json).filter((file) => file.endsWith('replay.json'));
    expect(buffers.sort()).toEqual(learning.map((policy) => `policies/${policy}/replay.json`).sort());
    let total = 0;
    for (const policy of learning) {
      const numSteps = told.map((metrics) => Number(metrics[`policy/${policy}/numSteps`]));
      const sum = numSteps.reduce((soFar, count) => soFar + count, 0);
      expect(told[2][`policy/${policy}/replay/size`]).toBe(sum);
      expect(told[2][`policy/${policy}/numUpdates`]).toBe(8);
      expect(Math.min(...numSteps)).toBeGreaterThan(0);
      total += sum;
    }
    expect(total).toBeLessThan(3 * 64);
    expect(tensors['policies/still/weights.safetensors']).toBeDefined();
    expect(tensors['policies/still/learner/model.safetensors']).toBeUndefined();
  });

  test("a run's checkpoint is somebody to play against, whatever learns there", async () => {
    const directory = join(temporaryFolder(), 'rival');
    const first = await build(name, game);
    await first.train();
    await first.save(directory);
    const saved = (await first.getState()).tensors['policies/main/weights.safetensors'];
    await first.stop();
    const [seat, other] = Object.keys(game.multiAgent.policyFor);
    const again = {
      environment: game.environment,
      multiAgent: {
        policies: { main: {}, other: {}, rival: { checkpoint: directory, policy: 'main' } },
        policyFor: { [seat]: ['rival', 'main'], [other]: 'other' },
      },
    };
    for (const begin of [
      () => build(name, again),
      () =>
        new PPOConfig({
          ...again,
          envRunners: { numEnvRunners: 0, numEnvs: 4, rolloutLength: 16 },
          training: { hiddenSizes: [8], minibatchSize: 8, numEpochs: 1 },
        } as never).build(),
    ]) {
      const algorithm = await begin();
      const { metrics } = await algorithm.train();
      const { tensors } = await algorithm.getState();
      const { policies } = await algorithm.evaluate({ numEpisodes: 4 });
      await algorithm.stop();
      expect(policies?.rival.numEpisodes).toBe(2);
      expect(tensors['policies/rival/weights.safetensors']).toEqual(saved);
      expect(metrics['policy/main/numSteps']).toBeGreaterThan(0);
    }
  });
});

test.each(['dqn', 'sac-discrete'] as const)(
  '%s: two kinds of agents that choose learn from the steps of their own kind',
  async (name) => {
    const algorithm = await build(name, { environment: { env: PAIR } });
    await algorithm.train();
    const { metrics } = await algorithm.train();
    const loss = name === 'dqn' ? 'loss' : 'criticLoss';
    for (const policy of ['speaker', 'listener']) {
      expect(metrics[`policy/${policy}/numUpdates`]).toBe(8);
      expect(Number.isFinite(metrics[`policy/${policy}/${loss}`])).toBe(true);
    }
    const directory = join(temporaryFolder(), 'pair');
    await algorithm.save(directory);
    await algorithm.stop();
    const listener = await loadPolicy(directory, { policy: 'listener' });
    expect(listener.actor().act([0, 1, 0, 0, 2], { actionMask: [0, 0, 1] })).toBe(2);
  },
);

test.each(['dqn', 'sac-discrete'] as const)('%s learns to beat a bot from both seats', async (name) => {
  const algorithm = await build(
    name,
    {
      environment: { env: 'TicTacToe' },
      multiAgent: {
        policies: { main: {}, bot: `${BOTS}#first` },
        policyFor: { x: ['main', 'bot'], o: ['bot', 'main'] },
      },
    },
    {
      ...{ hiddenSizes: [32], gamma: 0.95, nStep: 1, batchSize: 32, gradientSteps: null },
      ...{ updatesPerStep: 0.25, replayCapacity: 10_000, stepsPerIteration: 4000, learningStarts: 200 },
      ...(name === 'dqn'
        ? { targetInterval: 200 }
        : { actorLearningRate: 3e-3, criticLearningRate: 3e-3, tau: 0.02, targetEntropyScale: 0.2 }),
    },
  );
  await algorithm.train();
  const { policies } = await algorithm.evaluate({ numEpisodes: 20 });
  await algorithm.stop();
  expect(policies?.main.wins).toBe(20);
});

test.each(['sac', 'td3', 'tqc'] as const)('%s: an archer and an echo learn their aims', async (name) => {
  const algorithm = await build(
    name,
    { environment: { env: AIM } },
    {
      ...{ hiddenSizes: [32], gamma: 0, nStep: 1, batchSize: 32, gradientSteps: null, updatesPerStep: 0.5 },
      ...{ actorLearningRate: 3e-3, criticLearningRate: 3e-3, tau: 0.02, learningStarts: 200 },
      ...{ replayCapacity: 10_000, stepsPerIteration: 2000 },
      ...(name === 'td3' && { policyDelay: 1 }),
    },
    {},
  );
  const before = await algorithm.evaluate({ numEpisodes: 20 });
  await algorithm.train();
  const after = await algorithm.evaluate({ numEpisodes: 20 });
  await algorithm.stop();
  for (const policy of ['archer', 'echo']) {
    expect(before.policies?.[policy].returnMean).toBeLessThan(-1);
    expect(after.policies?.[policy].returnMean).toBeGreaterThan(-0.5);
  }
});

const REMEMBERING = { recurrent: 'lstm', sequenceLength: 2, burnIn: 0, learningStarts: 200 } as const;

test.each(NAMES)('%s: a recurrent policy is refused by name', async (name) => {
  await expect(build(name, SUBJECTS[name].worlds.game, REMEMBERING, {})).rejects.toMatchObject({
    code: 'CONFIG_SEVERAL_AGENTS',
    message: expect.stringContaining('recurrent'),
  });
});

test.each([
  ['prioritised', { prioritised: true }],
  ['noisy', { noisy: true }],
] as const)('%s is refused by name', async (option, training) => {
  await expect(build('dqn', BOARD, training)).rejects.toMatchObject({
    code: 'CONFIG_SEVERAL_AGENTS',
    message: expect.stringContaining(option),
  });
});

test.each(NAMES)('%s: what knows of environments and not of agents is refused by name', async (name) => {
  const { game } = SUBJECTS[name].worlds;
  for (const [option, training] of Object.entries({
    prefill: { prefill: 'random' },
    hindsight: { hindsight: 'future', hindsightGoals: 2 },
  }))
    await expect(build(name, game, training)).rejects.toMatchObject({
      code: 'CONFIG_SEVERAL_AGENTS',
      message: expect.stringContaining(option),
    });
});

test('a buffer has to hold a batch of windows of every row, of which an environment of two agents has two', async () => {
  const board = { environment: { env: 'TicTacToe' } };
  await expect(build('dqn', board, { replayCapacity: 16 })).rejects.toThrow(
    /replayCapacity \(16\) holds 16 transitions, too few for batchSize 8, nStep 3 and 8 rows/,
  );
});

test("replayBytes bounds a policy's buffer, over all rows that it may act for", async () => {
  const board = { environment: { env: 'TicTacToe' } };
  const algorithm = await build('dqn', board, {
    ...{ replayBytes: 20_000, replayCapacity: 100_000, stepsPerIteration: 2048, learningStarts: 2040 },
  });
  const { metrics } = await algorithm.train();
  await algorithm.stop();
  const size = Number(metrics['replay/size']);
  const bytesOf = (capacity: number) =>
    replayBytes(
      rowRingsSpec({
        ...{ numRows: 8, observationSize: 18, observationDtype: 'float32' },
        ...{ actionSize: 1, actionDtype: 'int32', maskSize: 9, capacity },
      }),
    ).total;
  expect(bytesOf(size)).toBeLessThanOrEqual(20_000);
  expect(bytesOf(size + 8)).toBeGreaterThan(20_000);
  await expect(build('dqn', board, { replayBytes: 2600 })).rejects.toThrow(
    /replayBytes \(2600\) holds \d+ transitions, too few for batchSize 8/,
  );
});

test("a policy cannot have a pace of the run's own", async () => {
  const multiAgent = { policies: { main: { trainEvery: 2 } } };
  await expect(build('dqn', { environment: { env: 'TicTacToe' }, multiAgent })).rejects.toThrow(
    /`trainEvery` is the run's/,
  );
});
