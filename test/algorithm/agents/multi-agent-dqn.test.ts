/** DQN among several agents: the numbers of one agent, the same run however it is made, learning, what is refused. */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { Algorithm, DQNConfig, loadPolicy } from '../../../src/index.ts';
import { contentAfter } from '../../invariants/run-content.ts';
import { temporaryFolder } from '../../temporary-folder.ts';
import { MASTER_SEED } from './fixtures/copies.ts';

const path = (name: string) => fileURLToPath(new URL(name, import.meta.url));
const COPIES = path('./fixtures/copies.ts');
const PAIR = path('./fixtures/pair-env.ts');
const BOTS = path('./fixtures/bots.ts');

const TRAINING = { hiddenSizes: [12], gamma: 0.9, nStep: 3, batchSize: 8, trainEvery: 4, gradientSteps: 2 };

/** Later options over earlier ones. */
const build = (environment: object, training: object = {}, layers: object = {}) =>
  new DQNConfig({
    environment,
    envRunners: { numEnvRunners: 0, numEnvs: 4 },
    training: {
      ...{ ...TRAINING, updatesPerStep: null, epsilon: 0.2, learningStarts: 32, stepsPerIteration: 64 },
      ...{ replayCapacity: 200, targetInterval: 64, double: true, ...training },
    },
    debugging: { seed: MASTER_SEED, deterministic: true },
    ...layers,
  } as never).build();

/** A game in turns, with two that learn, a bot, and one that keeps its weights. */
const GAME = {
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

test('k copies of CartPole as k agents learn what k environments do, to the bit', async () => {
  const weights = async (env: string, numEnvs: number) => {
    // An environment's step is six agents' steps here.
    const steps = (count: number) => (count * numEnvs) / 6;
    const algorithm = await build(
      { env },
      {
        learningStarts: steps(48),
        targetInterval: steps(240),
        stepsPerIteration: steps(240),
        replayCapacity: 300, // 50 for each: they go around
      },
      { envRunners: { numEnvRunners: 0, numEnvs, normalizeObservations: true } },
    );
    for (let k = 0; k < 4; k++) await algorithm.train();
    const { tensors } = await algorithm.getState();
    await algorithm.stop();
    return [tensors['policies/default/weights.safetensors'], tensors['learner/model.safetensors']];
  };
  const single = await weights('CartPole-v1', 6);
  expect(await weights(COPIES, 1)).toEqual(single);
});

test.each([0, 1])(
  'the same run for any number of worker threads, and over a resume, with lag %i',
  async (lag) => {
    const whole = await contentAfter(await build({ env: 'TicTacToe' }, { lag }, GAME), 6);
    for (const numEnvRunners of lag === 0 ? [1, 4] : [2]) {
      const envRunners = { numEnvRunners, numEnvs: 4 };
      expect(
        await contentAfter(await build({ env: 'TicTacToe' }, { lag }, { ...GAME, envRunners }), 6),
      ).toEqual(whole);
    }
    const directory = join(temporaryFolder(), `half-${lag}`);
    const half = await build({ env: 'TicTacToe' }, { lag }, GAME);
    for (let k = 0; k < 2; k++) await half.train();
    await half.save(directory);
    await half.stop();
    const resumed = await Algorithm.fromCheckpoint(directory, {}, { trust: true });
    expect(await contentAfter(resumed, 4)).toEqual(whole);
  },
);

test('two kinds of agents learn, each from its own steps; those that only play have no buffer', async () => {
  const algorithm = await build({ env: PAIR });
  await algorithm.train();
  const { metrics } = await algorithm.train();
  for (const name of ['speaker', 'listener']) {
    expect(metrics[`policy/${name}/numUpdates`]).toBe(8);
    expect(Number.isFinite(metrics[`policy/${name}/loss`])).toBe(true);
  }
  const directory = join(temporaryFolder(), 'pair');
  await algorithm.save(directory);
  await algorithm.stop();
  const listener = await loadPolicy(directory, { policy: 'listener' });
  expect(listener.actor().act([0, 1, 0, 0, 2], { actionMask: [0, 0, 1] })).toBe(2);

  const game = await build({ env: 'TicTacToe' }, {}, GAME);
  const { metrics: told } = await game.train();
  const { json } = await game.getState();
  await game.stop();
  const buffers = Object.keys(json).filter((file) => file.endsWith('replay.json'));
  expect(buffers.sort()).toEqual(['policies/main/replay.json', 'policies/small/replay.json']);
  for (const name of ['main', 'small']) {
    // What a rollout left open comes with the next one.
    expect(told[`policy/${name}/replay/size`]).toBe(told[`policy/${name}/numSteps`]);
    expect(told[`policy/${name}/numSteps`]).toBeGreaterThan(0);
  }
  expect(Number(told['policy/main/numSteps']) + Number(told['policy/small/numSteps'])).toBeLessThan(64);
});

test('a policy learns to beat a bot from both seats', async () => {
  const algorithm = await build(
    { env: 'TicTacToe' },
    {
      ...{
        hiddenSizes: [32],
        gamma: 0.95,
        nStep: 1,
        batchSize: 32,
        gradientSteps: null,
        updatesPerStep: 0.25,
      },
      ...{ replayCapacity: 10_000, stepsPerIteration: 4000, learningStarts: 200, targetInterval: 200 },
    },
    {
      multiAgent: {
        policies: { main: {}, bot: `${BOTS}#first` },
        policyFor: { x: ['main', 'bot'], o: ['bot', 'main'] },
      },
    },
  );
  await algorithm.train();
  const { policies } = await algorithm.evaluate({ numEpisodes: 20 });
  await algorithm.stop();
  expect(policies?.main.wins).toBe(20);
});

test.each([
  ['recurrent', { recurrent: 'lstm', sequenceLength: 2, burnIn: 0, learningStarts: 200 }],
  ['prioritised', { prioritised: true }],
  ['noisy', { noisy: true }],
  ['prefill', { prefill: 'random' }],
  ['replayBytes', { replayBytes: 1_000_000 }],
])('%s is refused by name', async (name, training) => {
  await expect(build({ env: 'TicTacToe' }, training)).rejects.toMatchObject({
    code: 'CONFIG_SEVERAL_AGENTS',
    message: expect.stringContaining(name),
  });
});

test('a buffer has to hold a batch of windows of every row, of which an environment of two agents has two', async () => {
  await expect(build({ env: 'TicTacToe' }, { replayCapacity: 16 })).rejects.toThrow(
    /replayCapacity \(16\) holds 16 transitions, too few for batchSize 8, nStep 3 and 8 rows/,
  );
});

test("a policy cannot have a pace of the run's own", async () => {
  const multiAgent = { policies: { main: { trainEvery: 2 } } };
  await expect(build({ env: 'TicTacToe' }, {}, { multiAgent })).rejects.toThrow(/`trainEvery` is the run's/);
});
