/** IMPALA and APPO among several agents: the numbers of one agent, the same run however it is made, learning, teams and self-play, what is refused. */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { A2CConfig, Algorithm, APPOConfig, IMPALAConfig, loadPolicy } from '../../../src/index.ts';
import { contentAfter } from '../../invariants/run-content.ts';
import { temporaryFolder } from '../../temporary-folder.ts';
import { MASTER_SEED } from './fixtures/copies.ts';

const path = (name: string) => fileURLToPath(new URL(name, import.meta.url));
const COPIES = path('./fixtures/copies.ts');
const PAIR = path('./fixtures/pair-env.ts');
const BOTS = path('./fixtures/bots.ts');

interface Layers {
  readonly envRunners?: object;
  readonly training?: object;
  readonly multiAgent?: object;
  readonly selfPlay?: object;
}

const SUBJECTS = {
  impala: { Config: IMPALAConfig, own: {}, ofSmall: { normalizeAdvantages: true } },
  appo: {
    Config: APPOConfig,
    own: { minibatchSize: 9, circularBufferSize: 2 },
    ofSmall: { minibatchSize: 5, numPasses: 3, targetUpdateInterval: 3 },
  },
} as const;

describe.each(Object.keys(SUBJECTS) as (keyof typeof SUBJECTS)[])('%s', (name) => {
  const { Config, own, ofSmall } = SUBJECTS[name];
  /** Later layers over earlier ones. */
  const build = (environment: object, { envRunners, training, ...layers }: Layers = {}) =>
    new Config({
      environment,
      debugging: { seed: MASTER_SEED, deterministic: true },
      ...layers,
      envRunners: { numEnvRunners: 0, numEnvs: 4, rolloutLength: 7, ...envRunners },
      training: {
        ...{ hiddenSizes: [12], entropyCoeff: 0.01, gamma: 0.9, vtraceLambda: 0.9 },
        ...{ fragmentsPerIteration: 4, lag: 2, ...own, ...training },
      },
    } as never).build();

  /** A game in turns, whose steps are open where fragments end, with two that learn, a bot, and one that keeps its weights. */
  const game: Layers = {
    envRunners: { normalizeObservations: true },
    multiAgent: {
      policies: { main: {}, small: { hiddenSizes: [8], ...ofSmall }, still: {}, bot: `${BOTS}#first` },
      policyFor: { x: ['main', 'small', 'bot'], o: ['small', 'bot', 'main', 'still'] },
      policiesToTrain: ['main', 'small'],
    },
  };

  test.each([0, 2])(
    'k copies of CartPole as k agents learn what k environments do, with lag %i',
    async (lag) => {
      const weights = async (env: string, numEnvs: number) => {
        const envRunners = { numEnvs, rolloutLength: 9, normalizeObservations: true };
        const algorithm = await build({ env }, { envRunners, training: { lag } });
        const lags: unknown[] = [];
        for (let k = 0; k < 3; k++) {
          const { metrics } = await algorithm.train();
          lags.push([metrics['time/policyLagMean'], metrics['time/policyLagMax']]);
        }
        const { tensors } = await algorithm.getState();
        await algorithm.stop();
        return [
          tensors['policies/default/weights.safetensors'],
          tensors['policies/default/optimizer.safetensors'],
          lags,
        ];
      };
      const single = await weights('CartPole-v1', 6);
      expect(await weights(COPIES, 1)).toEqual(single);
    },
  );

  test('the same run for any number of worker threads, and over a resume', async () => {
    const whole = await contentAfter(await build({ env: 'TicTacToe' }, game), 4);
    for (const numEnvRunners of [1, 4]) {
      const envRunners = { ...game.envRunners, numEnvRunners };
      expect(await contentAfter(await build({ env: 'TicTacToe' }, { ...game, envRunners }), 4)).toEqual(
        whole,
      );
    }
    const directory = join(temporaryFolder(), name);
    const half = await build({ env: 'TicTacToe' }, game);
    for (let k = 0; k < 2; k++) await half.train();
    await half.save(directory);
    await half.stop();
    const resumed = await Algorithm.fromCheckpoint(directory, {}, { trust: true });
    expect(await contentAfter(resumed, 2)).toEqual(whole);
  });

  test('a lag is another run, and is told', async () => {
    const lagged = await build({ env: 'TicTacToe' }, game);
    const { metrics } = await lagged.train();
    const content = await contentAfter(lagged, 0);
    expect(metrics['time/policyLagMax']).toBe(name === 'impala' ? 2 : 3); // the older of two fragments that APPO keeps
    const inStep = await build({ env: 'TicTacToe' }, { ...game, training: { lag: 0 } });
    expect(await contentAfter(inStep, 1)).not.toEqual(content);
  });

  test('an iteration in which no step is learnt from tells no lag', async () => {
    const ofOne = { targetUpdateInterval: 1, circularBufferSize: 1, minibatchSize: 1 };
    const algorithm = await build(
      { env: 'TicTacToe' },
      {
        envRunners: { numEnvs: 1, rolloutLength: 1 },
        training: { lag: 0, fragmentsPerIteration: 1, ...(name === 'appo' && ofOne) },
        multiAgent: {
          policies: { main: {}, bot: `${BOTS}#first` },
          policyFor: { x: 'main', o: 'bot' },
        },
      },
    );
    const told: unknown[] = [];
    for (let k = 0; k < 3; k++) told.push((await algorithm.train()).metrics['time/policyLagMean']);
    await algorithm.stop();
    expect(told).toEqual([undefined, 0, undefined]); // a move is a step when the bot has answered, in the next fragment
  });

  test('two kinds of agents learn, each from its own steps, within their masks', async () => {
    const algorithm = await build({ env: PAIR });
    const { metrics } = await algorithm.train();
    for (const policy of ['speaker', 'listener']) {
      expect(metrics[`policy/${policy}/numUpdates`]).toBeGreaterThan(0);
      expect(Number.isFinite(metrics[`policy/${policy}/policyLoss`])).toBe(true);
      expect(metrics[`policy/${policy}/numSteps`]).toBeGreaterThan(0);
    }
    const directory = join(temporaryFolder(), `pair-${name}`);
    await algorithm.save(directory);
    await algorithm.stop();
    const listener = await loadPolicy(directory, { policy: 'listener' });
    expect(listener.actor().act([0, 1, 0, 0, 2], { actionMask: [0, 0, 1] })).toBe(2);
  });

  test('a policy learns to beat a bot from both seats', async () => {
    const algorithm = await build(
      { env: 'TicTacToe' },
      {
        envRunners: { numEnvs: 16, rolloutLength: 16 },
        training: {
          ...{ hiddenSizes: [32], learningRate: 5e-3, gamma: 0.95, fragmentsPerIteration: 16, lag: 1 },
          ...(name === 'appo' && { minibatchSize: 64 }),
        },
        multiAgent: {
          policies: { main: {}, bot: `${BOTS}#first` },
          policyFor: { x: ['main', 'bot'], o: ['bot', 'main'] },
        },
      },
    );
    for (let k = 0; k < 8; k++) await algorithm.train();
    const { policies } = await algorithm.evaluate({ numEpisodes: 20 });
    await algorithm.stop();
    expect(policies?.main.wins).toBe(20);
  });

  test('a central critic and a scale of values: the same run for any number of workers', async () => {
    const layers: Layers = {
      envRunners: { normalizeObservations: true },
      multiAgent: { critic: 'central', normalizeValues: true },
    };
    const first = await build({ env: 'SimpleSpread-v3' }, layers);
    const { metrics } = await first.train();
    expect(metrics['train/criticGradNorm']).toBeGreaterThan(0);
    const whole = await contentAfter(first, 2);
    const envRunners = { ...layers.envRunners, numEnvRunners: 2 };
    expect(await contentAfter(await build({ env: 'SimpleSpread-v3' }, { ...layers, envRunners }), 3)).toEqual(
      whole,
    );
  });

  test('self-play with an exploiter: the same league for any number of workers, and over a resume', async () => {
    const layers: Layers = {
      selfPlay: {
        ...{ selfPlay: 'prioritized', snapshotInterval: 1, maxSnapshots: 4 },
        ...{ mainExploiters: 1, exploiterTimeout: 2 }, // it begins anew after the second and the fourth iteration
      },
    };
    const whole = await contentAfter(await build({ env: 'TicTacToe' }, layers), 4);
    const envRunners = { numEnvRunners: 3 };
    expect(await contentAfter(await build({ env: 'TicTacToe' }, { ...layers, envRunners }), 4)).toEqual(
      whole,
    );
    const directory = join(temporaryFolder(), `league-${name}`);
    const half = await build({ env: 'TicTacToe' }, layers);
    for (let k = 0; k < 2; k++) await half.train();
    const { league } = await half.train();
    const names = league?.map((row) => row.name);
    for (const past of ['default@1', 'main-exploiter@2']) expect(names).toContain(past);
    await half.save(directory);
    await half.stop();
    const resumed = await Algorithm.fromCheckpoint(directory, {}, { trust: true });
    expect(await contentAfter(resumed, 1)).toEqual(whole);
  });

  test('what is not there among several agents is refused by name', async () => {
    const refused = (layers: Layers) => expect(build({ env: 'TicTacToe' }, layers)).rejects;
    const severally = (message: string) => ({
      code: 'CONFIG_SEVERAL_AGENTS',
      message: expect.stringContaining(message),
    });
    const envRunners = { numEnvRunners: 2 };
    await refused({ envRunners, training: { lag: 'free' } }).toMatchObject(severally("lag: 'free'"));
    await refused({ envRunners: { normalizeRewards: true } }).toMatchObject(severally('normalizeRewards'));
    await refused({ multiAgent: { policies: { main: { lag: 0 } } } }).toThrow(/`lag` is the run's/);
  });
});

/** With ratios of 1 and lambda 1, V-trace's advantages and targets are those of GAE; log-probabilities that are computed again differ by rounding. */
test.each([
  ['a game in turns, whose steps are open where rollouts end', 'TicTacToe', {}],
  [
    'a team with a central critic, cut by time',
    'SimpleSpread-v3',
    { critic: 'central', normalizeValues: true },
  ],
])('IMPALA without a lag is A2C: %s', async (_what, env, multiAgent) => {
  const weights = async (Config: typeof IMPALAConfig | typeof A2CConfig, training: object) => {
    const algorithm = await new Config({
      environment: { env },
      envRunners: { numEnvRunners: 0, numEnvs: 4, rolloutLength: 9, normalizeObservations: true },
      training: {
        ...{ hiddenSizes: [12], gamma: 0.9, entropyCoeff: 0.01, maxGradNorm: 0.5, learningRate: 1e-3 },
        ...training,
      },
      debugging: { seed: 3, deterministic: true },
      multiAgent,
    } as never).build();
    const before = (await algorithm.getState()).tensors['policies/default/weights.safetensors'];
    for (let k = 0; k < 6; k++) await algorithm.train();
    const { tensors } = await algorithm.getState();
    await algorithm.stop();
    const flat = (given: typeof before) =>
      Object.values(given).flatMap(({ data }) => [...(data as Float32Array)]);
    const all = Object.entries(tensors).filter(([file]) => file.endsWith('weights.safetensors'));
    return { before: flat(before), after: all.flatMap(([, given]) => flat(given)) };
  };
  const a2c = await weights(A2CConfig, { gaeLambda: 1 });
  const impala = await weights(IMPALAConfig, { fragmentsPerIteration: 1, lag: 0 });
  expect(impala.before).toEqual(a2c.before);
  expect(impala.after).toHaveLength(a2c.after.length);
  const furthest = Math.max(...impala.after.map((value, k) => Math.abs(value - a2c.after[k])));
  const moved = Math.max(...a2c.before.map((value, k) => Math.abs(value - a2c.after[k])));
  expect(furthest).toBeLessThan(moved / 50);
});
