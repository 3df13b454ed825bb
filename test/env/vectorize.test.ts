import { describe, expect, it } from 'vitest';
import type { Env, ResetResult, StepResult } from '../../src/env/env.ts';
import { Box, Dict, Discrete, MultiDiscrete } from '../../src/env/spaces.ts';
import { vectorizeEnv } from '../../src/env/vectorize.ts';
import { EnvError } from '../../src/errors.ts';
import { makeRows } from './step-rows.ts';

/** Counts steps: observation [seed, step]; terminates when the action is 2. Reuses its observation array. */
function counter(overrides: Partial<Env> = {}): Env {
  const observation = new Float32Array(2);
  return {
    observationSpace: new Box(-1e9, 1e9, [2]),
    actionSpace: new Discrete(3),
    reset({ seed = -1 } = {}) {
      observation[0] = seed;
      observation[1] = 0;
      return { observation };
    },
    step(action) {
      observation[1] += 1;
      return { observation, reward: observation[1] * 10, terminated: action === 2, truncated: false };
    },
    getState: () => [...observation],
    setState: (state) => observation.set(state as number[]),
    ...overrides,
  };
}

const seeds = (...values: number[]) => Uint32Array.from(values);
const actions = (...values: number[]) => Int32Array.from(values);

const manyMetrics = (count: number) =>
  Object.fromEntries(Array.from({ length: count }, (_, k) => [`m${k}`, k]));

describe('autoreset', () => {
  it('same-step: next first observation in the row, true last one in finalObservations', () => {
    const env = vectorizeEnv(() => counter(), 2);
    const rows = makeRows(env);
    env.reset(seeds(100, 200), rows);
    expect([...rows.observations]).toEqual([100, 0, 200, 0]);
    env.step(actions(0, 2), seeds(101, 201), rows);
    expect([...rows.observations]).toEqual([100, 1, 201, 0]);
    expect([...rows.finalObservations]).toEqual([-777, -777, 200, 1]);
    expect([...rows.rewards]).toEqual([10, 10]);
    expect([...rows.terminated]).toEqual([0, 1]);
    expect([...rows.truncated]).toEqual([0, 0]);
    env.step(actions(0, 0), seeds(102, 202), rows);
    expect([...rows.observations]).toEqual([100, 2, 201, 1]);
  });

  it('next-step: last observation first, then a step that ignores its action', () => {
    const env = vectorizeEnv(() => counter(), 1, { autoreset: 'next-step' });
    const rows = makeRows(env);
    env.reset(seeds(1), rows);
    env.step(actions(2), seeds(2), rows);
    expect([...rows.observations]).toEqual([1, 1]);
    expect(rows.terminated[0]).toBe(1);
    env.step(actions(2), seeds(3), rows);
    expect([...rows.observations]).toEqual([3, 0]);
    expect([rows.rewards[0], rows.terminated[0], rows.truncated[0]]).toEqual([0, 0, 0]);
    env.step(actions(1), seeds(4), rows);
    expect([...rows.observations]).toEqual([3, 1]);
  });

  it('disabled: the caller resets, and a step without it is an error', () => {
    const env = vectorizeEnv(() => counter(), 2, { autoreset: 'disabled' });
    const rows = makeRows(env);
    env.reset(seeds(1, 5), rows);
    env.step(actions(2, 0), seeds(0, 0), rows);
    expect([...rows.observations]).toEqual([1, 1, 5, 1]);
    expect(() => env.step(actions(0, 0), seeds(0, 0), rows)).toThrowError(
      expect.objectContaining({ code: 'ENV_STEP_AFTER_END' }),
    );
    env.resetRows(Uint8Array.of(1, 0), seeds(9, 9), rows);
    env.step(actions(0, 0), seeds(0, 0), rows);
    expect([...rows.observations]).toEqual([9, 1, 5, 3]);
  });

  it('needs a reset before the first step', () => {
    const env = vectorizeEnv(() => counter(), 1, { autoreset: 'disabled' });
    expect(() => env.step(actions(0), seeds(0), makeRows(env))).toThrow(/reset before the first step/);
  });
});

describe('time limits', () => {
  it('truncate from outside and leave terminated alone; both can be true', () => {
    const env = vectorizeEnv(() => counter({ maxEpisodeSteps: 2 }), 2);
    const rows = makeRows(env);
    env.reset(seeds(1, 2), rows);
    env.step(actions(0, 0), seeds(3, 4), rows);
    expect([...rows.truncated]).toEqual([0, 0]);
    env.step(actions(0, 2), seeds(5, 6), rows);
    expect([...rows.truncated]).toEqual([1, 1]);
    expect([...rows.terminated]).toEqual([0, 1]);
    expect([...rows.observations]).toEqual([5, 0, 6, 0]);
  });

  it('of the options win over the environment, null removes them', () => {
    const run = (maxEpisodeSteps: number | null) => {
      const env = vectorizeEnv(() => counter({ maxEpisodeSteps: 2 }), 1, { maxEpisodeSteps });
      const rows = makeRows(env);
      env.reset(seeds(1), rows);
      return Array.from({ length: 4 }, () => {
        env.step(actions(0), seeds(1), rows);
        return rows.truncated[0];
      });
    };
    expect(run(3)).toEqual([0, 0, 1, 0]);
    expect(run(null)).toEqual([0, 0, 0, 0]);
    expect(() => run(0)).toThrowError(expect.objectContaining({ code: 'CONFIG_MAX_EPISODE_STEPS' }));
  });
});

describe('rows', () => {
  it('go to the offsets and strides that are given', () => {
    const env = vectorizeEnv(() => counter(), 2);
    const rows = {
      ...makeRows(env),
      observations: new Float32Array(12).fill(-1),
      observationOffset: 1,
      observationStride: 5,
      rewards: new Float32Array(7).fill(-1),
      terminated: new Uint8Array(7),
      truncated: new Uint8Array(7),
      scalarOffset: 2,
      scalarStride: 3,
    };
    env.reset(seeds(7, 8), rows);
    env.step(actions(0, 2), seeds(7, 9), rows);
    expect([...rows.observations]).toEqual([-1, 7, 1, -1, -1, -1, 9, 0, -1, -1, -1, -1]);
    expect([...rows.rewards]).toEqual([-1, -1, 10, -1, -1, 10, -1]);
    expect([...rows.terminated]).toEqual([0, 0, 0, 0, 0, 1, 0]);
  });

  it('give whole actions to the environment', () => {
    const seen: unknown[] = [];
    const space = new Dict({ move: new MultiDiscrete([3, 3]), fire: new Discrete(2, 1) });
    const env = vectorizeEnv(
      () =>
        counter({
          actionSpace: space,
          step: (action) => {
            seen.push(action);
            return { observation: [0, 0], reward: 0, terminated: false, truncated: false };
          },
        }),
      2,
    );
    const rows = makeRows(env);
    env.reset(seeds(0, 0), rows);
    env.step(actions(1, 2, 0, 0, 1, 1), seeds(0, 0), rows);
    expect(seen).toEqual([
      { fire: 2, move: Int32Array.of(2, 0) },
      { fire: 1, move: Int32Array.of(1, 1) },
    ]);
  });

  it('report the numbers of info.metrics', () => {
    const env = vectorizeEnv(
      () =>
        counter({
          step: () => ({
            observation: [0, 0],
            reward: 0,
            terminated: false,
            truncated: false,
            info: { metrics: { apples: 3 } },
          }),
        }),
      2,
    );
    const seen: unknown[] = [];
    const rows = { ...makeRows(env), onMetric: (...report: unknown[]) => seen.push(report) };
    env.reset(seeds(0, 0), rows);
    env.step(actions(0, 0), seeds(0, 0), rows);
    expect(seen).toEqual([
      [0, 'apples', 3],
      [1, 'apples', 3],
    ]);
  });

  it('hold action masks', () => {
    const masked = (mask: number[]) => ({
      masksActions: true,
      reset: () => ({ observation: [0, 0], info: { actionMask: [1, 0, 0] } }),
      step: () => ({
        observation: [0, 0],
        reward: 0,
        terminated: false,
        truncated: false,
        info: { actionMask: mask },
      }),
    });
    const env = vectorizeEnv(() => counter(masked([0, 1, 1])), 1);
    expect(env.actionMaskSize).toBe(3);
    const rows = makeRows(env);
    env.reset(seeds(0), rows);
    expect(rows.actionMasks).toEqual(Uint8Array.of(1, 0, 0));
    env.step(actions(0), seeds(0), rows);
    expect(rows.actionMasks).toEqual(Uint8Array.of(0, 1, 1));
    for (const [mask, code] of [
      [[1, 1], 'ENV_MASK_SIZE'],
      [[0, 0, 0], 'ENV_MASK_EMPTY'],
      [undefined, 'ENV_MASK_MISSING'],
    ] as const) {
      const bad = vectorizeEnv(() => counter(masked(mask as unknown as number[])), 1);
      bad.reset(seeds(0), rows);
      expect(() => bad.step(actions(0), seeds(0), rows)).toThrowError(expect.objectContaining({ code }));
    }
    expect(() =>
      vectorizeEnv(() => counter({ masksActions: true, actionSpace: new Box(0, 1, [1]) }), 1),
    ).toThrowError(expect.objectContaining({ code: 'CONFIG_ACTION_MASK' }));
  });
});

describe('errors of an environment', () => {
  const step = (result: unknown): Partial<Env> => ({ step: () => result as StepResult });
  const good = { observation: [0, 0], reward: 0, terminated: false, truncated: false };
  it.each<[string, Partial<Env>]>([
    [
      'ENV_STEP_THREW',
      {
        step: () => {
          throw new Error('boom');
        },
      },
    ],
    [
      'ENV_STEP_THREW',
      {
        step: () => {
          throw 'boom';
        },
      },
    ],
    ['ENV_STEP_RESULT', step(undefined)],
    ['ENV_STEP_RESULT', step(Promise.resolve(good))],
    ['ENV_OBSERVATION_SHAPE', step({ ...good, observation: [0] })],
    ['ENV_OBSERVATION_SHAPE', step({ ...good, observation: [0, '1'] })],
    ['ENV_OBSERVATION_SHAPE', step({ ...good, observation: undefined })],
    ['ENV_OBSERVATION_NON_FINITE', step({ ...good, observation: [0, Number.NaN] })],
    ['ENV_OBSERVATION_NON_FINITE', step({ ...good, observation: [1e39, 0] })],
    ['ENV_OBSERVATION_NON_FINITE', step({ ...good, observation: Float32Array.of(0, Infinity) })],
    ['ENV_REWARD_NON_FINITE', step({ ...good, reward: Number.NaN })],
    ['ENV_REWARD_NON_FINITE', step({ ...good, reward: undefined })],
    ['ENV_REWARD_NON_FINITE', step({ ...good, reward: '1' })],
    ['ENV_FLAGS', step({ ...good, terminated: undefined })],
    ['ENV_FLAGS', step({ ...good, truncated: 1 })],
    ['ENV_METRIC', step({ ...good, info: { metrics: { x: Number.NaN } } })],
    ['ENV_METRICS', step({ ...good, info: { metrics: manyMetrics(100_000) } })],
  ])('%s %#', (code, overrides) => {
    const env = vectorizeEnv(() => counter(overrides), 1, { envId: 'bad-env' });
    const rows = { ...makeRows(env), onMetric: () => {} };
    env.reset(seeds(42), rows);
    expect(() => env.step(actions(0), seeds(0), rows)).toThrowError(
      expect.objectContaining({
        code,
        message: expect.stringMatching(/^bad-env, episode seed 42, step 1: /),
        place: { envId: 'bad-env', envIndex: 0, episodeSeed: 42, episodeStep: 1 },
      }),
    );
  });

  it.each<[string, Partial<Env>]>([
    [
      'ENV_RESET_THREW',
      {
        reset: () => {
          throw new Error('boom');
        },
      },
    ],
    ['ENV_RESET_RESULT', { reset: () => new Float32Array(2) as unknown as ResetResult }],
    ['ENV_RESET_RESULT', { reset: () => Promise.resolve({ observation: [0, 0] }) as unknown as ResetResult }],
    ['ENV_OBSERVATION_SHAPE', { reset: () => ({ observation: [[0, 0]] }) }],
    ['ENV_OBSERVATION_NON_FINITE', { reset: () => ({ observation: [Number.NaN, 0] }) }],
  ])('%s in reset %#', (code, overrides) => {
    const env = vectorizeEnv(() => counter(overrides), 1);
    expect(() => env.reset(seeds(3), makeRows(env))).toThrowError(
      expect.objectContaining({ code, place: expect.objectContaining({ episodeSeed: 3, episodeStep: 0 }) }),
    );
  });

  it('leave the other environments stepped, repeat until the row is reset, keep the cause', () => {
    let created = 0;
    const env = vectorizeEnv(() => {
      const index = created++;
      let numResets = 0;
      const base = counter();
      return {
        ...base,
        reset: (options) => {
          numResets += 1;
          return base.reset(options);
        },
        step: (action) => {
          if (index === 0 && numResets === 1) throw new RangeError('first life is bad');
          return base.step(action);
        },
      };
    }, 2);
    const rows = makeRows(env);
    env.reset(seeds(1, 2), rows);
    let error: unknown;
    try {
      env.step(actions(0, 0), seeds(0, 0), rows);
    } catch (caught) {
      error = caught;
    }
    expect(error).toBeInstanceOf(EnvError);
    expect((error as EnvError).cause).toBeInstanceOf(RangeError);
    expect([...rows.observations.slice(2)]).toEqual([2, 1]);
    expect(() => env.step(actions(0, 0), seeds(0, 0), rows)).toThrow('first life is bad');
    expect([...rows.observations.slice(2)]).toEqual([2, 2]);
    env.resetRows(Uint8Array.of(1, 0), seeds(11, 0), rows);
    env.step(actions(0, 0), seeds(0, 0), rows);
    expect([...rows.observations]).toEqual([11, 1, 2, 3]);
  });
});

describe('the factory', () => {
  it.each<[string, () => unknown, RegExp, string?]>([
    ['undefined', () => undefined, /gave undefined/],
    ['promise', () => Promise.resolve(counter()), /gave a promise/, 'CONFIG_ENV_ASYNC'],
    ['no space', () => ({ ...counter(), observationSpace: [4] }), /`observationSpace` is Array\(1\)/],
    ['no step', () => ({ ...counter(), step: undefined }), /no method `step`/],
  ])('%s', (_, factory, message, code = 'CONFIG_ENV_FACTORY') => {
    expect(() => vectorizeEnv(factory as () => Env, 2, { envId: 'x' })).toThrowError(
      expect.objectContaining({ code, message: expect.stringMatching(message) }),
    );
  });

  it('must give fresh, alike environments', () => {
    const one = counter();
    expect(() => vectorizeEnv(() => one, 2)).toThrow(/same object twice/);
    let n = 1;
    expect(() => vectorizeEnv(() => counter({ actionSpace: new Discrete(++n) }), 2)).toThrow(/differ/);
    expect(() => vectorizeEnv(() => counter(), 0)).toThrowError(
      expect.objectContaining({ code: 'CONFIG_NUM_ENVS' }),
    );
  });
});

describe('state', () => {
  it('goes on in mid-episode, time limit included, through JSON', () => {
    const make = () => vectorizeEnv(() => counter(), 2, { maxEpisodeSteps: 4 });
    const env = make();
    const rows = makeRows(env);
    env.reset(seeds(50, 60), rows);
    for (let t = 0; t < 3; t++) env.step(actions(0, t === 0 ? 2 : 0), seeds(51, 61), rows);
    const state = JSON.parse(JSON.stringify([env.getState?.(0), env.getState?.(1)]));

    const restored = make();
    const restoredRows = makeRows(restored);
    restored.setState?.(0, state[0], restoredRows);
    restored.setState?.(1, state[1], restoredRows);
    expect([...restoredRows.observations]).toEqual([50, 3, 61, 2]);
    for (const [vector, out] of [
      [env, rows],
      [restored, restoredRows],
    ] as const) {
      vector.step(actions(0, 0), seeds(52, 62), out);
      expect([...out.observations]).toEqual([52, 0, 61, 3]);
      expect([...out.truncated]).toEqual([1, 0]);
      expect([...out.finalObservations.slice(0, 2)]).toEqual([50, 4]);
    }
  });

  it('is absent when the environment has none', () => {
    const { getState: _get, setState: _set, ...plain } = counter();
    expect(vectorizeEnv(() => ({ ...plain }), 1).getState).toBeUndefined();
  });
});
