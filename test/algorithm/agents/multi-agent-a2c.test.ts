/** A2C among several agents: the numbers of one agent, the same run for any number of workers and over a resume, one step an iteration. */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { A2CConfig, Algorithm } from '../../../src/index.ts';
import { contentAfter } from '../../invariants/run-content.ts';
import { temporaryFolder } from '../../temporary-folder.ts';
import { MASTER_SEED } from './fixtures/copies.ts';

const COPIES = fileURLToPath(new URL('./fixtures/copies.ts', import.meta.url));
const BOTS = fileURLToPath(new URL('./fixtures/bots.ts', import.meta.url));

const build = (environment: object, layers: object = {}) =>
  new A2CConfig({
    environment,
    envRunners: { numEnvRunners: 0, numEnvs: 4, rolloutLength: 9, normalizeObservations: true },
    training: { hiddenSizes: [12], entropyCoeff: 0.01, gamma: 0.9, gaeLambda: 0.8 },
    debugging: { seed: MASTER_SEED, deterministic: true },
    ...layers,
  } as never).build();

const GAME = {
  multiAgent: {
    policies: { main: {}, small: { hiddenSizes: [8], normalizeAdvantages: true }, bot: `${BOTS}#first` },
    policyFor: { x: ['main', 'small', 'bot'], o: ['small', 'bot', 'main'] },
  },
};

test('k copies of CartPole as k agents learn what k environments do, to the bit', async () => {
  const weights = async (env: string, numEnvs: number) => {
    const algorithm = await build(
      { env },
      { envRunners: { numEnvRunners: 0, numEnvs, rolloutLength: 9, normalizeObservations: true } },
    );
    for (let k = 0; k < 6; k++) await algorithm.train();
    const { tensors } = await algorithm.getState();
    await algorithm.stop();
    return tensors['policies/default/weights.safetensors'];
  };
  const single = await weights('CartPole-v1', 6);
  expect(await weights(COPIES, 1)).toEqual(single);
});

test('the same run for any number of worker threads, and over a resume', async () => {
  const whole = await contentAfter(await build({ env: 'TicTacToe' }, GAME), 6);
  const envRunners = { numEnvRunners: 2, numEnvs: 4, rolloutLength: 9, normalizeObservations: true };
  expect(await contentAfter(await build({ env: 'TicTacToe' }, { ...GAME, envRunners }), 6)).toEqual(whole);
  const directory = join(temporaryFolder(), 'half');
  const half = await build({ env: 'TicTacToe' }, GAME);
  for (let k = 0; k < 2; k++) await half.train();
  await half.save(directory);
  await half.stop();
  const resumed = await Algorithm.fromCheckpoint(directory, {}, { trust: true });
  expect(await contentAfter(resumed, 4)).toEqual(whole);
});

test('each policy makes one step of its optimizer over the steps that it took', async () => {
  const algorithm = await build({ env: 'TicTacToe' }, GAME);
  const { metrics } = await algorithm.train();
  await algorithm.stop();
  expect([metrics['policy/main/numUpdates'], metrics['policy/small/numUpdates']]).toEqual([1, 1]);
  const numSteps = Number(metrics['policy/main/numSteps']) + Number(metrics['policy/small/numSteps']);
  expect(numSteps).toBeGreaterThan(12);
  expect(numSteps).toBeLessThan(36); // the bot took the others
});

test('a central critic and self-play are there, too', async () => {
  const multiAgent = { critic: 'central', normalizeValues: true };
  const central = await build({ env: 'SimpleSpread-v3' }, { multiAgent });
  const { metrics } = await central.train();
  await central.stop();
  expect(metrics['train/criticGradNorm']).toBeGreaterThan(0);
  const league = await build(
    { env: 'TicTacToe' },
    { selfPlay: { selfPlay: 'uniform', snapshotInterval: 1 } },
  );
  await league.train();
  const { league: rows } = await league.train();
  await league.stop();
  expect(rows?.map(({ name }) => name)).toContain('default@1');
});
