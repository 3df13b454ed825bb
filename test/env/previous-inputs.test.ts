/** The last action and reward behind each observation: what stands there, and that it comes back with states and replays. */
import { describe, expect, test } from 'vitest';
import { aroundSource } from '../../src/env/around-source.ts';
import { resolveEnv } from '../../src/env/env-source.ts';
import { makeVectorEnv } from '../../src/env/load-env.ts';
import { type PreviousInputs, withPreviousInputs } from '../../src/env/previous-inputs.ts';
import { Box, type Dict, Discrete, MultiBinary, MultiDiscrete, Tuple } from '../../src/env/spaces.ts';
import type { ActionArray, VectorEnv } from '../../src/env/vector-env.ts';
import { vectorizeEnv } from '../../src/env/vectorize.ts';
import '../../src/index.ts'; // registers the environments
import { makeRows } from './step-rows.ts';

/** Episodes of three steps that show how many were taken; the reward is that number times ten, plus the actions. */
const counting = (numEnvs: number, actionSpace = new MultiDiscrete([2, 3])): VectorEnv =>
  vectorizeEnv(() => {
    let steps = 0;
    return {
      observationSpace: new Box(0, 9, [2]),
      actionSpace,
      reset: () => {
        steps = 0;
        return { observation: [steps, 7] };
      },
      step: (action: unknown) => {
        steps += 1;
        const [a, b] = action as Int32Array;
        return {
          observation: [steps, 7],
          reward: 10 * steps + a + b,
          terminated: steps === 3,
          truncated: false,
        };
      },
      getState: () => steps,
      setState: (state: unknown) => {
        steps = state as number;
      },
    };
  }, numEnvs);

function open(env: VectorEnv, inputs: PreviousInputs) {
  const wrapped = withPreviousInputs(env, inputs);
  const rows = makeRows(wrapped);
  const width = rows.observationStride;
  const row = (n: number) => [...rows.observations.subarray(n * width, (n + 1) * width)];
  const final = (n: number) => [...rows.finalObservations.subarray(n * width, (n + 1) * width)];
  const seeds = new Uint32Array(env.numEnvs);
  return {
    wrapped,
    rows,
    row,
    final,
    seeds,
    step: (...actions: number[]) => wrapped.step(Int32Array.from(actions), seeds, rows),
  };
}

describe('what stands behind an observation', () => {
  test('of an action of mixed kinds, each part as its own kind stands', () => {
    const env = vectorizeEnv(
      () => ({
        observationSpace: new Box(0, 9, [1]),
        actionSpace: new Tuple([new Discrete(3), new Box(-2, 2, [2]), new MultiBinary(1)]),
        reset: () => ({ observation: [7] }),
        step: () => ({ observation: [7], reward: 5, terminated: false, truncated: false }),
      }),
      1,
    );
    const { wrapped, rows, row, seeds } = open(env, 'both');
    wrapped.reset(seeds, rows);
    expect(row(0)).toEqual([7, 0, 0, 0, 0, 0, 0, 0]);
    wrapped.step(Float32Array.of(1, -0.5, 2, 1), seeds, rows);
    expect(row(0)).toEqual([7, 0, 1, 0, -0.5, 2, 1, 5]);
    const { previousAction } = (wrapped.observationSpace as Dict).spaces;
    expect((previousAction as Box).low[0]).toBe(Number.NEGATIVE_INFINITY);
  });

  test('both: choices one after the other, then the reward; zeros at first, and after an end', () => {
    const { wrapped, rows, row, final, seeds, step } = open(counting(2), 'both');
    wrapped.reset(seeds, rows);
    expect([row(0), row(1)]).toEqual([
      [0, 7, 0, 0, 0, 0, 0, 0],
      [0, 7, 0, 0, 0, 0, 0, 0],
    ]);
    step(1, 2, 0, 1);
    expect([row(0), row(1)]).toEqual([
      [1, 7, 0, 1, 0, 0, 1, 13],
      [1, 7, 1, 0, 0, 1, 0, 11],
    ]);
    wrapped.resetRows(Uint8Array.of(0, 1), seeds, rows);
    expect(row(1)).toEqual([0, 7, 0, 0, 0, 0, 0, 0]);
    step(0, 0, 1, 0);
    step(1, 1, 0, 0);
    expect(final(0)).toEqual([3, 7, 0, 1, 0, 1, 0, 32]);
    expect([row(0), row(1)]).toEqual([
      [0, 7, 0, 0, 0, 0, 0, 0],
      [2, 7, 1, 0, 1, 0, 0, 20],
    ]);
  });

  test.each([
    ['action', [1, 7, 0, 1, 0, 0, 1], { observation: [2], previousAction: [5] }],
    ['reward', [1, 7, 13], { observation: [2], previousReward: [1] }],
  ] as const)('%s alone', (inputs, expected, shapes) => {
    const { wrapped, rows, row, seeds, step } = open(counting(1), inputs);
    wrapped.reset(seeds, rows);
    step(1, 2);
    expect(row(0)).toEqual(expected);
    const { spaces } = wrapped.observationSpace as Dict;
    expect(
      Object.fromEntries(Object.entries(spaces).map(([name, space]) => [name, (space as Box).shape])),
    ).toEqual(shapes);
  });

  test('of a Box the action that the environment got', async () => {
    const { wrapped, rows, row, seeds } = open(await makeVectorEnv(resolveEnv('Pendulum-v1'), 1), 'action');
    wrapped.reset(seeds, rows);
    wrapped.step(Float32Array.of(1.25), seeds, rows);
    expect(row(0).slice(3)).toEqual([1.25]);
  });
});

/** All rows after each of some steps. */
function play(env: ReturnType<typeof open>, actions: readonly number[][]): number[][] {
  return actions.map((of) => {
    env.step(...of);
    return [...env.rows.observations];
  });
}

describe('in the middle of an episode', () => {
  const source = { ...resolveEnv('CartPole-v1'), previousInputs: 'both' as const };
  const actions = [[0], [1], [1], [0], [1]];

  async function begin() {
    const env = await makeVectorEnv(source, 1);
    const rows = makeRows(env);
    const seeds = Uint32Array.of(5);
    env.reset(seeds, rows);
    return {
      wrapped: env,
      rows,
      step: (...of: number[]) => env.step(Int32Array.from(of), seeds, rows),
    } as ReturnType<typeof open>;
  }

  test('a state brings it back', async () => {
    const first = await begin();
    play(first, actions.slice(0, 3));
    const before = [...first.rows.observations];
    const state = structuredClone(first.wrapped.getState?.(0) ?? null);
    const rest = play(first, actions.slice(3));
    const second = await begin();
    second.wrapped.setState?.(0, state, second.rows);
    expect([...second.rows.observations]).toEqual(before);
    expect(play(second, actions.slice(3))).toEqual(rest);
    expect(() => second.wrapped.setState?.(0, null, second.rows)).toThrow(/saved under other previousInputs/);
  });

  test.each([3, 0])(
    'a replay of %i steps leads to what it was, by the reward that the last one gave',
    async (numSteps) => {
      const first = await begin();
      play(first, actions.slice(0, numSteps));
      const second = await begin();
      play(second, [[1], [0]]);
      const replayed = Int32Array.from(actions.slice(0, numSteps).flat());
      expect(second.wrapped.replay?.(0, 5, replayed as ActionArray, numSteps, second.rows)).toBe(true);
      expect([...second.rows.observations]).toEqual([...first.rows.observations]);
    },
  );
});

test('a replay of repeated actions adds rewards up as its steps did: from what rows hold', () => {
  const open = () => {
    const env = vectorizeEnv(
      () => ({
        observationSpace: new Box(0, 1, [1]),
        actionSpace: new Discrete(2),
        reset: () => ({ observation: [0] }),
        step: () => ({ observation: [1], reward: 0.3, terminated: false, truncated: false }),
      }),
      1,
    );
    const wrappers = [{ name: 'repeatAction', numSteps: 3 }];
    const wrapped = aroundSource(env, { wrappers, previousInputs: 'reward' });
    const rows = makeRows(wrapped);
    wrapped.reset(Uint32Array.of(5), rows);
    return { wrapped, rows };
  };
  const stepped = open();
  stepped.wrapped.step(Int32Array.of(1), Uint32Array.of(6), stepped.rows);
  const led = open();
  expect(led.wrapped.replay?.(0, 5, Int32Array.of(1), 1, led.rows)).toBe(true);
  // 3 * f32(0.3) is not f32(3 * 0.3)
  expect([...stepped.rows.observations]).toEqual([1, Math.fround(3 * Math.fround(0.3))]);
  expect([...led.rows.observations]).toEqual([...stepped.rows.observations]);
});

test('numbers do not stand beside bytes, and rows after an end have to be fresh', () => {
  const images = vectorizeEnv(
    () => ({
      observationSpace: new Box(0, 255, [4], 'uint8'),
      actionSpace: new Discrete(2),
      reset: () => ({ observation: new Uint8Array(4) }),
      step: () => ({ observation: new Uint8Array(4), reward: 0, terminated: false, truncated: false }),
    }),
    1,
  );
  expect(() => withPreviousInputs(images, 'both')).toThrow(/needs float32 observations/);
  const late = vectorizeEnv(
    () => ({
      observationSpace: new Box(0, 1, [1]),
      actionSpace: new Discrete(2),
      reset: () => ({ observation: [0] }),
      step: () => ({ observation: [0], reward: 0, terminated: true, truncated: false }),
    }),
    1,
    { autoreset: 'next-step' },
  );
  expect(() => withPreviousInputs(late, 'both')).toThrow(/autoreset 'same-step'.*'next-step'/);
});
