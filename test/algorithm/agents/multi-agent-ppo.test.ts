/** PPO among several agents: the same run however it is made, who learns and who does not, what is refused. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';
import type { PPOConfigInput } from '../../../algorithms/ppo/config.ts';
import type { Algorithm as RunningAlgorithm } from '../../../src/algorithm/algorithm.ts';
import { Algorithm, type JsonObject, loadPolicy, PPOConfig } from '../../../src/index.ts';
import { comparable, contentAfter } from '../../invariants/run-content.ts';
import copies, { MASTER_SEED } from './fixtures/copies.ts';

const path = (name: string) => fileURLToPath(new URL(name, import.meta.url));
const COPIES = path('./fixtures/copies.ts');
const PAIR = path('./fixtures/pair-env.ts');
const BOTS = path('./fixtures/bots.ts');
const folder = mkdtempSync(join(tmpdir(), 'operant-agents-'));
afterAll(() => rmSync(folder, { recursive: true }));

const SMALL: PPOConfigInput = {
  envRunners: { numEnvRunners: 0, numEnvs: 6, rolloutLength: 33, normalizeObservations: true },
  training: { hiddenSizes: [16], minibatchSize: 60, numEpochs: 2, gamma: 0.95 },
  debugging: { seed: MASTER_SEED, deterministic: true },
};

/** Later sections over earlier ones, option by option. */
function configOf(...layers: readonly object[]) {
  const config = new PPOConfig(SMALL as JsonObject);
  for (const layer of layers) {
    for (const [section, options] of Object.entries(layer))
      (config as never as Record<string, (o: object) => void>)[section](options);
  }
  return config;
}

async function run<T>(
  config: InstanceType<typeof PPOConfig>,
  use: (algorithm: RunningAlgorithm) => Promise<T>,
): Promise<T> {
  const algorithm = await config.build();
  try {
    return await use(algorithm);
  } finally {
    await algorithm.stop();
  }
}

async function trained(config: InstanceType<typeof PPOConfig>, numIterations: number): Promise<object> {
  return contentAfter(await config.build(), numIterations);
}

/** A game in turns, with three who act: one that learns, one that keeps its weights, one by chance; and a bot. */
const GAME = {
  environment: { env: 'TicTacToe' },
  multiAgent: {
    policies: { main: {}, still: { hiddenSizes: [8] }, chance: 'random', bot: `${BOTS}#first` },
    policyFor: { x: ['main', 'chance', 'main', 'bot'], o: ['still', 'main', 'bot', 'main'] },
    policiesToTrain: ['main'],
  },
};

test('k copies of CartPole as k agents learn what k environments do, to the bit', async () => {
  const weights = async (layer: object) =>
    run(configOf(layer, { training: { minibatchSize: 33 } }), async (algorithm) => {
      for (let k = 0; k < 3; k++) await algorithm.train();
      return (await algorithm.getState()).tensors;
    });
  const agents = await weights({ environment: { env: COPIES }, envRunners: { numEnvs: 1 } });
  const single = await weights({ environment: { env: 'CartPole-v1' } });
  for (const file of ['weights', 'optimizer'])
    expect(agents[`policies/default/${file}.safetensors`]).toEqual(
      single[`policies/default/${file}.safetensors`],
    );
});

test('the same run for any number of worker threads', async () => {
  const inProcess = await trained(configOf(GAME), 3);
  for (const numEnvRunners of [1, 2]) {
    expect(await trained(configOf(GAME, { envRunners: { numEnvRunners } }), 3)).toEqual(inProcess);
  }
});

describe.each<[string, object]>([
  ['a game with a saved state, in turns', GAME],
  ['an environment that is replayed, with two kinds of agents', { environment: { env: PAIR } }],
])('%s', (name, layer) => {
  test('a run that is resumed goes on as if it had not stopped', async () => {
    const directory = join(folder, name.replaceAll(' ', '-'));
    const whole = await trained(configOf(layer), 5);
    await run(configOf(layer), async (algorithm) => {
      for (let k = 0; k < 2; k++) await algorithm.train();
      await algorithm.save(directory);
    });
    const resumed = await Algorithm.fromCheckpoint(directory, {}, { trust: true });
    for (let k = 0; k < 3; k++) await resumed.train();
    expect(comparable(await resumed.getState())).toEqual(whole);
    await resumed.stop();
  });
});

test('a checkpoint has each policy, to be loaded by its name', async () => {
  const directory = join(folder, 'policies');
  const tensors = await run(configOf({ environment: { env: PAIR } }), async (algorithm) => {
    await algorithm.train();
    await algorithm.save(directory);
    return (await algorithm.getState()).tensors;
  });
  expect(
    Object.keys(tensors)
      .filter((file) => file.endsWith('weights.safetensors'))
      .sort(),
  ).toEqual(['policies/listener/weights.safetensors', 'policies/speaker/weights.safetensors']);
  const listener = await loadPolicy(directory, { policy: 'listener' });
  expect(listener.actionSpace).toMatchObject({ kind: 'discrete', n: 3 });
  const action = listener.actor().act([0, 1, 0, 0, 2], { actionMask: [0, 0, 1] });
  expect(action).toBe(2);
  await expect(loadPolicy(directory)).rejects.toThrow(/no policy `default`. It has listener, speaker/);
});

test('who does not learn keeps their weights, and a policy of a checkpoint is what it was', async () => {
  const directory = join(folder, 'opponent');
  const weightsOf = (content: Awaited<ReturnType<RunningAlgorithm['getState']>>, name: string) =>
    content.tensors[`policies/${name}/weights.safetensors`]['actor/head/kernel'].data;
  const before = await run(configOf(GAME), async (algorithm) => {
    const fresh = await algorithm.getState();
    for (let k = 0; k < 2; k++) await algorithm.train();
    await algorithm.save(directory);
    const later = await algorithm.getState();
    expect(weightsOf(later, 'still')).toEqual(weightsOf(fresh, 'still'));
    expect(weightsOf(later, 'main')).not.toEqual(weightsOf(fresh, 'main'));
    return later;
  });
  const policies = { me: {}, rival: { checkpoint: directory, policy: 'main' } };
  await run(
    configOf({ ...GAME, multiAgent: { policies, policyFor: { x: 'me', o: 'rival' } } }),
    async (algorithm) => {
      await algorithm.train();
      expect(weightsOf(await algorithm.getState(), 'rival')).toEqual(weightsOf(before, 'main'));
    },
  );
});

test('metrics by agent and by policy; evaluation against named opponents from both seats', async () => {
  await run(configOf(GAME), async (algorithm) => {
    const { metrics, episodes } = await algorithm.train();
    expect(metrics).toMatchObject({
      'policy/main/numSteps': expect.any(Number),
      'train/policyLoss': expect.any(Number),
    });
    expect(metrics['agent/x/outcomeMean'] + metrics['agent/o/outcomeMean']).toBeCloseTo(0, 9);
    const [{ agents = [], episodeReturn }] = episodes;
    expect(agents.map(({ agent }) => agent)).toEqual(['x', 'o']);
    expect(agents.find(({ policy }) => policy === 'main')?.episodeReturn).toBe(episodeReturn);
    const played = await algorithm.evaluate({
      numEpisodes: 10,
      policyFor: { x: ['bot', 'chance'], o: ['chance', 'bot'] },
    });
    expect(played.policies?.bot).toMatchObject({ numEpisodes: 10 });
    expect(played.policies?.main).toMatchObject({ numEpisodes: 0, returnMean: null });
    const { wins = 0, draws = 0, losses = 0 } = played.policies?.bot ?? {};
    expect(wins + draws + losses).toBe(10);
    expect(played.policies?.chance).toMatchObject({ wins: losses, losses: wins, draws });
    await expect(algorithm.evaluate({ policyFor: { x: 'nobody' } })).rejects.toThrow(/no policy `nobody`/);
  });
});

test('several that learn tell of themselves under their names', async () => {
  await run(configOf({ environment: { env: PAIR } }), async (algorithm) => {
    const { metrics } = await algorithm.train();
    expect(metrics).toMatchObject({
      'policy/speaker/policyLoss': expect.any(Number),
      'policy/listener/policyLoss': expect.any(Number),
      'env/hits': expect.any(Number),
    });
    expect(metrics['train/policyLoss']).toBeUndefined();
  });
});

test.each<[string, object, RegExp]>([
  [
    'an unknown policy',
    { policies: { main: {} }, policyFor: { x: 'mian', o: 'main' } },
    /`policyFor.x` names the policy `mian`/,
  ],
  [
    'an unknown agent',
    { policies: { main: {} }, policyFor: { z: 'main' } },
    /names the agent `z`, and the environment has x, o/,
  ],
  [
    'a policy that nobody plays',
    { policies: { a: {}, b: {} }, policyFor: { '*': 'a' } },
    /nobody plays the policy `b`/,
  ],
  ['an agent without one', { policies: { a: {}, b: {} } }, /agent `x` has no policy/],
  ['what is no policy', { policies: { main: 7 } }, /the policy `main` is 7/],
  ['an unknown one to train', { policiesToTrain: ['mian'] }, /`policiesToTrain` names the policy `mian`/],
  ['one that cannot learn', { policies: { r: 'random' }, policiesToTrain: ['r'] }, /which cannot learn/],
  ['an option that is none', { policies: { main: { hiddenSize: [3] } } }, /Did you mean `hiddenSizes`/],
])('%s is refused', async (_what, multiAgent, message) => {
  await expect(configOf({ environment: { env: 'TicTacToe' }, multiAgent }).build()).rejects.toThrow(message);
});

test('what is not there among several agents is refused, and several policies for one agent', async () => {
  const refused = (layer: object) =>
    expect(configOf({ environment: { env: 'TicTacToe' } }, layer).build()).rejects;
  await refused({ envRunners: { normalizeRewards: true } }).toThrow(/normalizeRewards is not there/);
  await refused({ envRunners: { runners: 'ray', numEnvRunners: 1 } }).toThrow(/runners: 'ray' is not there/);
  await refused({ learners: { engine: 'tensorflow' } }).toThrow(/engine: 'tensorflow' is not there/);
  await refused({ environment: { env: 'CartPole' }, multiAgent: { discountBy: 'tick' } }).toThrow(
    /several agents/,
  );
});

test("a bot's action that is none names policy, agent and environment", async () => {
  const multiAgent = { policies: { main: {}, bot: `${BOTS}#broken` }, policyFor: { x: 'main', o: 'bot' } };
  await run(configOf({ environment: { env: 'TicTacToe' }, multiAgent }), async (algorithm) => {
    await expect(algorithm.train()).rejects.toThrow(
      /The policy `bot` cannot act for agent `o`: it gave the action 99/,
    );
  });
});

test('discounting by ticks is another run', async () => {
  const game = { environment: { env: 'TicTacToe' } };
  const byTick = await trained(configOf(game, { multiAgent: { discountBy: 'tick' } }), 2);
  expect(byTick).not.toEqual(await trained(configOf(game), 2));
});

test('a factory in code has several agents, too', async () => {
  const layer = {
    environment: { env: copies as never },
    envRunners: { numEnvs: 1 },
    training: { minibatchSize: 9 },
  };
  await run(configOf(layer), async (algorithm) => {
    expect((await algorithm.train()).numEnvSteps).toBe(33);
  });
});

/** Who plays at random in both seats in turn, as the other does, expects 0; perfect play against chance would give some 0.94. */
test('learns to beat a random player at tic-tac-toe in some seconds', async () => {
  const layer = {
    environment: { env: 'TicTacToe' },
    envRunners: { numEnvs: 32, rolloutLength: 64, normalizeObservations: false },
    training: {
      hiddenSizes: [64],
      minibatchSize: 256,
      numEpochs: 4,
      learningRate: 2e-3,
      gamma: 1,
      entropyCoeff: 0.01,
    },
    multiAgent: {
      policies: { main: {}, chance: 'random' },
      policyFor: { x: ['main', 'chance'], o: ['chance', 'main'] },
    },
  };
  await run(configOf(layer), async (algorithm) => {
    for (let k = 0; k < 40; k++) await algorithm.train();
    const { policies } = await algorithm.evaluate({ numEpisodes: 400 });
    expect(policies?.main.returnMean).toBeGreaterThan(0.6);
  });
});
