/** PQN among several agents: the numbers of one agent, the same run however it is made, learning, masks, what is refused. */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { Algorithm, loadPolicy, PQNConfig } from '../../../src/index.ts';
import { contentAfter } from '../../invariants/run-content.ts';
import { temporaryFolder } from '../../temporary-folder.ts';
import { MASTER_SEED } from './fixtures/copies.ts';

const path = (name: string) => fileURLToPath(new URL(name, import.meta.url));
const COPIES = path('./fixtures/copies.ts');
const PAIR = path('./fixtures/pair-env.ts');
const BOTS = path('./fixtures/bots.ts');

/** Later layers over earlier ones. */
const build = (
  environment: object,
  layers: { readonly [section in 'envRunners' | 'training' | 'multiAgent' | 'selfPlay']?: object } = {},
) =>
  new PQNConfig({
    environment,
    debugging: { seed: MASTER_SEED, deterministic: true },
    ...layers,
    envRunners: { numEnvRunners: 0, numEnvs: 4, rolloutLength: 9, ...layers.envRunners },
    training: {
      ...{ hiddenSizes: [12], gamma: 0.9, lambda: 0.8, epsilon: 0.3, minibatchSize: 10 },
      ...layers.training,
    },
  } as never).build();

/** A game in turns, with two that learn, a bot, and one that keeps its weights. */
const GAME = {
  multiAgent: {
    policies: {
      main: {},
      small: { hiddenSizes: [8], numEpochs: 1, layerNorm: false },
      still: {},
      bot: `${BOTS}#first`,
    },
    policyFor: { x: ['main', 'small', 'bot'], o: ['small', 'bot', 'main', 'still'] },
    policiesToTrain: ['main', 'small'],
  },
};

test('k copies of CartPole as k agents learn what k environments do, to the bit', async () => {
  const weights = async (env: string, numEnvs: number) => {
    // A minibatch has to fit into the steps of the environments.
    const envRunners = { numEnvs, normalizeObservations: true };
    const algorithm = await build({ env }, { envRunners, training: { minibatchSize: 9 } });
    for (let k = 0; k < 6; k++) await algorithm.train();
    const { tensors } = await algorithm.getState();
    await algorithm.stop();
    return [tensors['policies/default/weights.safetensors'], tensors['learner/optimizer.safetensors']];
  };
  const single = await weights('CartPole-v1', 6);
  expect(await weights(COPIES, 1)).toEqual(single);
});

test('the same run for any number of worker threads, and over a resume', async () => {
  const whole = await contentAfter(await build({ env: 'TicTacToe' }, GAME), 6);
  for (const numEnvRunners of [1, 4]) {
    const threaded = await build({ env: 'TicTacToe' }, { ...GAME, envRunners: { numEnvRunners } });
    expect(await contentAfter(threaded, 6)).toEqual(whole);
  }
  const directory = join(temporaryFolder(), 'half');
  const half = await build({ env: 'TicTacToe' }, GAME);
  for (let k = 0; k < 2; k++) await half.train();
  await half.save(directory);
  await half.stop();
  const resumed = await Algorithm.fromCheckpoint(directory, {}, { trust: true });
  expect(await contentAfter(resumed, 4)).toEqual(whole);
});

test('two kinds of agents learn, each from its own steps, within their masks', async () => {
  const algorithm = await build({ env: PAIR });
  const { metrics } = await algorithm.train();
  for (const name of ['speaker', 'listener']) {
    expect(metrics[`policy/${name}/numUpdates`]).toBeGreaterThan(0);
    expect(Number.isFinite(metrics[`policy/${name}/loss`])).toBe(true);
  }
  const directory = join(temporaryFolder(), 'pair');
  await algorithm.save(directory);
  await algorithm.stop();
  const listener = await loadPolicy(directory, { policy: 'listener' });
  expect(listener.actor().act([0, 1, 0, 0, 2], { actionMask: [0, 0, 1] })).toBe(2);
});

test('a policy learns to beat a bot from both seats, by actions that are allowed', async () => {
  const algorithm = await build(
    { env: 'TicTacToe' },
    {
      envRunners: { numEnvs: 16, rolloutLength: 16 },
      training: { hiddenSizes: [32], minibatchSize: 64, epsilon: 0.2, numEpochs: 4, learningRate: 3e-3 },
      multiAgent: {
        policies: { main: {}, bot: `${BOTS}#first` },
        policyFor: { x: ['main', 'bot'], o: ['bot', 'main'] },
      },
    },
  );
  for (let k = 0; k < 30; k++) await algorithm.train();
  const { policies } = await algorithm.evaluate({ numEpisodes: 20 });
  await algorithm.stop();
  expect(policies?.main.wins).toBe(20);
});

test('what PQN does not have among several agents is refused by name', async () => {
  await expect(build({ env: 'TicTacToe' }, { envRunners: { normalizeRewards: true } })).rejects.toMatchObject(
    {
      code: 'CONFIG_SEVERAL_AGENTS',
      message: expect.stringContaining('normalizeRewards'),
    },
  );
  const critic = { multiAgent: { critic: 'central' } };
  await expect((async () => build({ env: 'TicTacToe' }, critic))()).rejects.toThrow(/critic/);
  const selfPlay = { selfPlay: { selfPlay: 'uniform' } };
  await expect((async () => build({ env: 'TicTacToe' }, selfPlay))()).rejects.toThrow(/selfPlay/);
});
