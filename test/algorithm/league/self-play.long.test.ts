/** Self-play in any number of threads, and with the actor alone that a central critic leaves. */
import { expect, test } from 'vitest';
import { build, play, threads } from './self-play-run.ts';

const EXPLOITERS = {
  ...{ selfPlay: 'uniform', snapshotInterval: 2, maxSnapshots: 5, numOpponents: 2 },
  ...{ mainExploiters: 2, leagueExploiters: 1, exploiterFraction: 0.6, exploiterTimeout: 2 },
  exploiterReset: 'learner',
};

test.each([
  ['TicTacToe', {}],
  ['KuhnPoker', { multiAgent: { critic: 'central', normalizeValues: true } }],
  ['KuhnPoker', { multiAgent: { critic: 'central', normalizeValues: true }, selfPlay: EXPLOITERS }],
])('%s: the same matches and weights in 1, 2 and 4 worker threads', async (env, layers) => {
  const inProcess = await play(await build(env, layers), 9);
  for (const numEnvRunners of [1, 2, 4])
    expect(await play(await build(env, { ...layers, ...threads(numEnvRunners) }), 9)).toEqual(inProcess);
});
