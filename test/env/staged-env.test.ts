/** Options that change when an episode begins: each row is what a single environment with those options would be. */
import { describe, expect, test } from 'vitest';
import { tMaze } from '../../envs/t-maze.ts';
import { resolveEnv } from '../../src/env/env-source.ts';
import { makeStagedEnv } from '../../src/env/staged-env.ts';
import '../../src/index.ts'; // registers the environments
import { makeRows } from './step-rows.ts';

const OBS = 4;
const ROWS = 3;

/** Row by row with single environments: a new one, with the options that hold by then, for every episode. */
function reference(
  optionsAt: (t: number) => object,
  first: readonly object[],
  actions: Int32Array[],
  seeds: number[][],
) {
  return first.map((options, n) => {
    const start = (length: object, seed: number) => {
      const env = tMaze(length as never);
      return { env, observation: env.reset({ seed }).observation as Float32Array };
    };
    let episode = 0;
    let { env, observation } = start(options, seeds[n][0]);
    const seen: { observation: number[]; reward: number; ended: boolean }[] = [];
    for (const [t, action] of actions.entries()) {
      const result = env.step(action[n]);
      const ended = result.terminated || result.truncated;
      observation = result.observation as Float32Array;
      if (ended) ({ env, observation } = start(optionsAt(t), seeds[n][++episode]));
      seen.push({ observation: [...observation], reward: Math.fround(result.reward), ended });
    }
    return seen;
  });
}

describe('T-mazes whose corridors grow', () => {
  const NORTH = 0;
  const EAST = 1;
  // row n walks east n + 2 times of n + 3, and turns: rows end at different times, some at no junction
  const actions = Array.from({ length: 60 }, (_, t) =>
    Int32Array.from({ length: ROWS }, (_row, n) => (t % (n + 3) === n + 2 ? NORTH : EAST)),
  );
  const seeds = Array.from({ length: ROWS }, (_, n) => Array.from({ length: 80 }, (_e, k) => 1000 * n + k));
  const optionsAt = (t: number) => ({ length: t < 10 ? 1 : t < 30 ? 2 : 3 });

  test('each row is what single environments are', async () => {
    const first = [{ length: 1 }, { length: 2 }, { length: 1 }];
    const staged = await makeStagedEnv(resolveEnv('TMaze-v0'), { running: first, next: { length: 1 } });
    const { vectorEnv } = staged;
    const rows = makeRows(vectorEnv);
    const episodes = new Int32Array(ROWS);
    const nextSeeds = () => Uint32Array.from(episodes, (k, n) => seeds[n][k + 1]);
    vectorEnv.reset(
      Uint32Array.from(seeds, (row) => row[0]),
      rows,
    );
    const seen: { observation: number[]; reward: number; ended: boolean }[][] = first.map(() => []);
    for (const [t, action] of actions.entries()) {
      staged.setNextOptions(optionsAt(t));
      vectorEnv.step(action, nextSeeds(), rows);
      for (let n = 0; n < ROWS; n++) {
        const ended = (rows.terminated[n] | rows.truncated[n]) !== 0;
        const observation = [...rows.observations.subarray(n * OBS, (n + 1) * OBS)];
        seen[n].push({ observation, reward: rows.rewards[n], ended });
        if (ended) episodes[n] += 1;
      }
    }
    expect(seen).toEqual(reference(optionsAt, first, actions, seeds));
    expect(seen.map((row) => row.filter(({ ended }) => ended).length).every((count) => count > 2)).toBe(true);
    expect(staged.optionsOf(0)).toEqual({ length: 3 });
  });

  test('the last observation of an episode is that of the environment which it was in', async () => {
    const running = [{ length: 1 }, { length: 1 }];
    const { vectorEnv } = await makeStagedEnv(resolveEnv('TMaze-v0'), { running, next: { length: 2 } });
    const rows = makeRows(vectorEnv);
    vectorEnv.reset(Uint32Array.of(1, 2), rows);
    vectorEnv.step(Int32Array.of(EAST, EAST), Uint32Array.of(3, 4), rows);
    vectorEnv.step(Int32Array.of(NORTH, EAST), Uint32Array.of(3, 4), rows);
    expect([...rows.finalObservations.subarray(0, OBS)]).toEqual([0, 0, 0, 1]); // the junction of length 1
    expect([...rows.observations.subarray(OBS)]).toEqual([0, 0, 0, 1]); // the other row is where it was
  });
});

test('options that change a space are refused, by both', async () => {
  const source = resolveEnv('FrozenLake-v1');
  const running = [{ map: ['SF', 'FG'] }];
  await expect(
    makeStagedEnv(source, { running: [...running, { map: ['SFF', 'FFG'] }], next: {} }),
  ).rejects.toThrow(/options may change in mid-run if the spaces stay/);
});

test('an error says which row it came from', async () => {
  const factory = ({ failAt = 99 } = {}) => {
    let t = 0;
    const inner = tMaze({ length: 1 });
    return {
      ...inner,
      observationSpace: inner.observationSpace,
      actionSpace: inner.actionSpace,
      step(action: unknown) {
        if (++t === failAt) throw new Error('broken');
        return inner.step(action);
      },
    };
  };
  const source = {
    ...{ kind: 'factory' as const, id: 'fails', factory, options: {} },
    ...{ maxEpisodeSteps: null, rewardThreshold: null },
  };
  const running = [{}, {}, { failAt: 1 }];
  const { vectorEnv } = await makeStagedEnv(source, { running, next: {} });
  const rows = makeRows(vectorEnv);
  vectorEnv.reset(Uint32Array.of(1, 2, 3), rows);
  expect(() => vectorEnv.step(Int32Array.of(1, 1, 1), Uint32Array.of(4, 5, 6), rows)).toThrow(
    expect.objectContaining({ code: 'ENV_STEP_THREW', place: expect.objectContaining({ envIndex: 2 }) }),
  );
  expect([...rows.observations.subarray(OBS, 2 * OBS)]).toEqual([0, 0, 0, 1]); // the others took their step
});

test.each(['python', 'reference'])('of an environment outside, `%s` stays as it is', async (name) => {
  const source = {
    ...resolveEnv('TMaze-v0'),
    id: 'gymnasium:X-v0',
    options: { reference: 'gymnasium:X-v0' },
  };
  const running = [{ [name]: './evil' }];
  await expect(makeStagedEnv(source, { running, next: {} })).rejects.toThrow(/says which program runs/);
});
