/** Self-play of policies that learn from replay: the same matches and weights however the run is made, past versions as they were, exploiters. */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { Algorithm, DQNConfig, SACConfig, SACDiscreteConfig } from '../../../src/index.ts';
import { temporaryFolder } from '../../temporary-folder.ts';
import { play } from './self-play-run.ts';

const PENDULUMS = `${fileURLToPath(new URL('../agents/fixtures/copies.ts', import.meta.url))}#pendulums`;

const SUBJECTS = {
  dqn: [DQNConfig, { env: 'TicTacToe' }, { targetInterval: 64, epsilon: 0.2, lag: 1 }, { mainExploiters: 1 }],
  'sac-discrete': [
    SACDiscreteConfig,
    { env: 'TicTacToe' },
    {},
    { leagueExploiters: 1, exploiterReset: 'learner' },
  ],
  sac: [SACConfig, { env: PENDULUMS, maxEpisodeSteps: 12 }, { useGsde: true }, {}],
} as const;
type Name = keyof typeof SUBJECTS;

const build = (name: Name, numEnvRunners = 0) => {
  const [Config, environment, training, selfPlay] = SUBJECTS[name];
  return new Config({
    environment,
    envRunners: { numEnvRunners, numEnvs: 4, normalizeObservations: true },
    training: {
      ...{ hiddenSizes: [8], batchSize: 8, trainEvery: 4, gradientSteps: 1, updatesPerStep: null },
      ...{ learningStarts: 16, stepsPerIteration: 96, replayCapacity: 400, ...training },
    },
    debugging: { seed: 7, deterministic: true },
    selfPlay: {
      ...{ selfPlay: 'prioritized', snapshotInterval: 1, maxSnapshots: 3, numOpponents: 2 },
      ...{ anchorFraction: 0.2, ...selfPlay },
      ...('mainExploiters' in selfPlay || 'leagueExploiters' in selfPlay ? { exploiterTimeout: 2 } : {}),
    },
  } as never).build();
};

test.each(Object.keys(SUBJECTS) as Name[])(
  '%s: the same matches, ratings and weights for any number of worker threads, and resumed in mid-league',
  async (name) => {
    const whole = await play(await build(name), 6);
    const opponents = whole.matches.flatMap((match) => match.match(/default@\d+|random/g) ?? []);
    expect(new Set(opponents).size).toBeGreaterThan(2);
    expect(await play(await build(name, 3), 6)).toEqual(whole);
    const directory = join(temporaryFolder(), name);
    const first = await build(name);
    for (let k = 0; k < 4; k++) await first.train();
    await first.save(directory);
    await first.stop();
    const resumed = await play(await Algorithm.fromCheckpoint(directory, {}, { trust: true }), 2);
    expect(resumed.content).toEqual(whole.content);
    expect(whole.matches.slice(-resumed.matches.length)).toEqual(resumed.matches);
  },
);

test('a snapshot is what the learner acted with; an exploiter begins anew with an empty buffer', async () => {
  const algorithm = await build('dqn');
  const sizes: number[] = [];
  let isKept = false;
  for (let k = 1; k <= 6; k++) {
    const { league = [], metrics } = await algorithm.train();
    sizes.push(Number(metrics['policy/main-exploiter/replay/size']));
    expect(metrics['train/numUpdates']).toBeGreaterThan(0);
    expect(metrics['league/numMembers']).toBe(
      league.filter(({ kind }) => ['anchor', 'past'].includes(kind)).length,
    );
    isKept ||= league.some(({ name }) => name.startsWith('main-exploiter@'));
  }
  const { tensors } = await algorithm.getState();
  await algorithm.stop();
  expect(isKept).toBe(true);
  expect(sizes.some((size, k) => k > 0 && size < sizes[k - 1])).toBe(true);
  const weights = tensors['policies/default/weights.safetensors']['actor/head/kernel'].data as Float32Array;
  const slots = Object.values(tensors['league.safetensors']);
  expect(slots.some(({ data }) => weights.every((value) => (data as Float32Array).includes(value)))).toBe(
    true,
  );
});
