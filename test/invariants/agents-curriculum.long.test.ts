/** A curriculum among several agents is part of the run: the same for any number of workers, and after a resume in mid-episode. */
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ticTacToe } from '../../envs/tic-tac-toe.ts';
import { checkAgentsOptions } from '../../src/algorithm/curriculum/check-options.ts';
import type { EnvSource } from '../../src/env/env-source.ts';
import { Algorithm, PPOConfig } from '../../src/index.ts';
import { temporaryFolder } from '../temporary-folder.ts';
import { comparable } from './run-content.ts';

const ITERATIONS = 10;
/** Episodes get longer, by steps, then by a metric. */
const STAGES = [
  { options: { maxEpisodeSteps: 7 } },
  { options: { maxEpisodeSteps: 19 }, fromStep: 60 },
  { options: { points: 9, maxEpisodeSteps: 25 }, metric: 'rollout/episodeLengthMean', atLeast: 12 },
];

const duel = (numEnvRunners: number, curriculum: object | null = STAGES, maxEpisodeSteps = 2000) =>
  new PPOConfig()
    .environment({ env: 'PongDuel-v0', envOptions: { maxEpisodeSteps }, curriculum: curriculum as never })
    .envRunners({ numEnvRunners, numEnvs: 4, rolloutLength: 16 })
    .training({ hiddenSizes: [8], minibatchSize: 32, numEpochs: 2 })
    .reporting({ metricsWindow: 4 })
    .debugging({ seed: 5 })
    .build();

interface Told {
  readonly changes: readonly (readonly [number, object])[];
  readonly lengths: readonly number[];
  readonly content: object;
}

async function runOut(algorithm: Algorithm): Promise<Told> {
  const changes: (readonly [number, object])[] = [];
  const lengths: number[] = [];
  while (algorithm.iteration < ITERATIONS) {
    const { envOptions, iteration, episodes } = await algorithm.train();
    lengths.push(...episodes.map(({ episodeLength }) => episodeLength));
    if (envOptions !== undefined) changes.push([iteration, envOptions]);
  }
  const content = comparable(await algorithm.getState());
  await algorithm.stop();
  return { changes, lengths, content };
}

const whole = duel(0).then(runOut);

test('stages come in order, at the beginnings of episodes', async () => {
  const { changes, lengths } = await whole;
  expect(changes.map(([, options]) => options)).toEqual([STAGES[1].options, STAGES[2].options]);
  expect(changes[0][0]).toBe(1); // 64 steps
  const [first, second] = [lengths.indexOf(19), lengths.indexOf(25)];
  expect(first).toBeGreaterThan(0);
  expect(second).toBeGreaterThan(first);
  expect(lengths.slice(0, first).every((length) => length <= 7)).toBe(true);
});

test.each([1, 3])('%i workers give the same run', async (numEnvRunners) => {
  expect(await duel(numEnvRunners).then(runOut)).toEqual(await whole);
});

test('cut right after a change, while rows are in different stages, it goes on as if it had not been', async () => {
  const first = await duel(0);
  const { envOptions } = await first.train();
  expect(envOptions).toEqual(STAGES[1].options);
  const path = await first.save(join(temporaryFolder(), 'saved'));
  await first.stop();
  const resumed = await Algorithm.fromCheckpoint(path, { envRunners: { numEnvRunners: 2 } }, { trust: true });
  expect((await runOut(resumed)).content).toEqual((await whole).content);
});

test('setEnvOptions: the first call in mid-episode, the next ones, and what does not fit', async () => {
  const play = async (numEnvRunners: number) => {
    const algorithm = await duel(numEnvRunners, null, 11);
    for (const maxEpisodeSteps of [10, 4]) {
      await algorithm.train();
      await algorithm.setEnvOptions?.({ maxEpisodeSteps });
    }
    await expect(algorithm.setEnvOptions?.({ pointz: 3 })).rejects.toThrow(/pointz/);
    const { episodes } = await algorithm.train();
    const content = comparable(await algorithm.getState());
    await algorithm.stop();
    return { episodes, content };
  };
  const inProcess = await play(0);
  // 11, 22 | 32 | 42, 46: who began before a call plays on as it was
  const lengths = inProcess.episodes.map(({ episodeLength }) => episodeLength);
  expect(new Set(lengths)).toEqual(new Set([10, 4]));
  expect(await play(2)).toEqual(inProcess);
});

test('options that change who plays are refused', async () => {
  const pursuit = new PPOConfig()
    .environment({
      env: 'Pursuit-v0',
      curriculum: [{ options: {} }, { options: { numPursuers: 2 }, fromStep: 10 }] as never,
    })
    .envRunners({ numEnvRunners: 0 })
    .build();
  await expect(pursuit).rejects.toMatchObject({
    code: 'CONFIG_CURRICULUM_SPACES',
    message: expect.stringMatching(
      /"numPursuers":2.*options may change in mid-run if agents and spaces stay/s,
    ),
  });
});

test('options that an environment cannot be made with leave none open', async () => {
  let numOpen = 0;
  const factory = (options: { readonly size?: number }) => {
    if (options.size === 0) throw new RangeError('no size');
    numOpen += 1;
    const close = () => {
      numOpen -= 1;
    };
    return { ...ticTacToe(), close };
  };
  const limits = { maxEpisodeSteps: null, rewardThreshold: null };
  const source = { kind: 'factory', id: 'sized', factory, options: {}, ...limits } as unknown as EnvSource;
  await expect(checkAgentsOptions(source, { size: 0 })).rejects.toThrow(/no size/);
  await checkAgentsOptions(source, { size: 3 });
  expect(numOpen).toBe(0);
});
