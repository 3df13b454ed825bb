/** What `checkEnv` calls an error of a value, training refuses, under the same code; what it passes, training takes. */
import { describe, expect, it } from 'vitest';
import { checkEnv } from '../../src/env/check-env.ts';
import type { Env, StepResult } from '../../src/env/env.ts';
import type { EnvFault } from '../../src/env/env-faults.ts';
import { Box, Dict, Discrete, MultiBinary, type Space } from '../../src/env/spaces.ts';
import { vectorizeEnv } from '../../src/env/vectorize.ts';
import { makeRows } from './step-rows.ts';

const dict = new Dict({ a: new Box(-1, 1, [1]), b: new Discrete(2) });
const free = new Box(-Infinity, Infinity, [1]);

/** Step results of an environment with the given observation space, all members loosely typed: users write JavaScript, too. */
const CASES: readonly [
  what: string,
  code: string | null,
  space: Space,
  reset: unknown,
  step: object,
  more?: object,
][] = [
  ['nothing wrong', null, free, [0], {}],
  ['null as info', null, free, [0], { info: null }],
  ['info of text', 'ENV_INFO', free, [0], { info: 'x' }],
  ['a bigint reward', 'ENV_REWARD_NON_FINITE', free, [0], { reward: 1n }],
  ['a reward of 1e39', 'ENV_REWARD_NON_FINITE', free, [0], { reward: 1e39 }],
  ['a reward of 3e38', null, free, [0], { reward: 3e38 }],
  ['no reward', 'ENV_REWARD_NON_FINITE', free, [0], { reward: undefined }],
  ['flags as numbers', 'ENV_FLAGS', free, [0], { terminated: 0 }],
  ['an observation of 1e39', 'ENV_OBSERVATION_NON_FINITE', free, [0], { observation: [1e39] }],
  ['NaN', 'ENV_OBSERVATION_NON_FINITE', free, [0], { observation: [Number.NaN] }],
  ['a bigint observation', 'ENV_OBSERVATION_SHAPE', free, [0], { observation: [1n] }],
  ['nested', 'ENV_OBSERVATION_SHAPE', free, [0], { observation: [[0]] }],
  ['a number for a Box of one', 'ENV_OBSERVATION_SHAPE', free, [0], { observation: 0 }],
  ['no observation', 'ENV_OBSERVATION_SHAPE', free, [0], { observation: undefined }],
  ['a key missing', 'ENV_OBSERVATION_SHAPE', dict, { a: [0], b: 1 }, { observation: { a: [0] } }],
  [
    'a key too many',
    'ENV_OBSERVATION_SHAPE',
    dict,
    { a: [0], b: 1 },
    { observation: { a: [0], b: 1, c: 2 } },
  ],
  ['halves for bits', 'ENV_OBSERVATION_SHAPE', new MultiBinary(2), [0, 1], { observation: [0.5, 1] }],
  ['a class of 2 of 2', 'ENV_OBSERVATION_SHAPE', new Discrete(2), 1, { observation: 2 }],
  ['a mask that was not declared', 'ENV_MASK_UNDECLARED', free, [0], { info: { actionMask: [1, 1] } }],
  ["Gymnasium's mask", 'ENV_MASK_UNDECLARED', free, [0], { info: { action_mask: [1, 1] } }],
  ['an empty mask', 'ENV_MASK_EMPTY', free, [0], { info: { actionMask: [0, 0] } }, { masksActions: true }],
  [
    'a mask of logits',
    'ENV_MASK_VALUE',
    free,
    [0],
    { info: { actionMask: [0, -Infinity] } },
    { masksActions: true },
  ],
  ['a mask of booleans', null, free, [0], { info: { actionMask: [true, false] } }, { masksActions: true }],
  ['a metric of text', 'ENV_METRIC', free, [0], { info: { metrics: { speed: 'fast' } } }],
  [
    'a state with NaN',
    'ENV_STATE',
    free,
    [0],
    {},
    { getState: () => [Number.NaN], setState: () => undefined },
  ],
  [
    'a state with a Map',
    'ENV_STATE',
    free,
    [0],
    {},
    { getState: () => ({ m: new Map() }), setState: () => undefined },
  ],
  ['a limit of null', null, free, [0], {}, { maxEpisodeSteps: null }],
  ['a limit of half a step', 'CONFIG_MAX_EPISODE_STEPS', free, [0], {}, { maxEpisodeSteps: 0.5 }],
];

function create([, , observationSpace, observation, step, more]: (typeof CASES)[number]): Env {
  let t = 0;
  const info = { ...(more && 'masksActions' in more && { info: { actionMask: [1, 1] } }) };
  return {
    observationSpace,
    actionSpace: new Discrete(2),
    reset: () => {
      t = 0;
      return { observation, ...info };
    },
    step: (): StepResult => {
      t += 1;
      return {
        observation,
        reward: 1,
        terminated: t === 9,
        truncated: false,
        ...info,
        ...step,
      } as StepResult;
    },
    ...more,
  };
}

/** Six steps in training's way, and a look at the state; the code of what it refused, else null. */
function train(factory: () => Env): string | null {
  try {
    const env = vectorizeEnv(factory, 1);
    const rows = { ...makeRows(env), onMetric: () => undefined };
    env.reset(Uint32Array.of(1), rows);
    for (let t = 0; t < 6; t++) env.step(Int32Array.of(0), Uint32Array.of(1), rows);
    env.getState?.(0);
    return null;
  } catch (error) {
    return (error as { code: string }).code;
  }
}

describe('one set of rules', () => {
  it.each(CASES)('%s', (...given) => {
    const factory = () => create(given);
    const [, code] = given;
    expect(train(factory)).toBe(code);
    const errors = checkEnv(factory, { numSteps: 100 }).findings.filter(
      ({ severity }) => severity === 'error',
    );
    const codes = errors.map(({ code }) => code.replace('ENV_MAX', 'CONFIG_MAX'));
    expect(codes).toEqual(code === null ? [] : [code]);
  });

  it('names the key of a dict that is missing, or that the space does not have', () => {
    const message = (observation: unknown) => {
      const env = vectorizeEnv(() => create(['', null, dict, observation, {}]), 1);
      try {
        env.reset(Uint32Array.of(1), makeRows(env));
      } catch (error) {
        return (error as Error).message;
      }
      return 'none';
    };
    expect(message({ b: 1 })).toMatch(/lacks `a` \(its keys: b\)/);
    expect(message({ a: [0], b: 1, speed: 2 })).toMatch(/has `speed`, which the space does not have/);
  });
});

describe('bounds', () => {
  it('an observation outside is taken as it is, and told once, with value and place', () => {
    const faults: EnvFault[] = [];
    const env = vectorizeEnv(() => create(['', null, new Box(-1, 1, [1]), [0], { observation: [7] }]), 2, {
      faults: { restartFailedEnvs: 'off', nonFinite: 'stop', onFault: (fault) => faults.push(fault) },
    });
    const rows = makeRows(env);
    env.reset(Uint32Array.of(3, 4), rows);
    for (let t = 0; t < 4; t++) env.step(new Int32Array(2), Uint32Array.of(5, 6), rows);
    expect([...rows.observations]).toEqual([7, 7]);
    expect(faults).toHaveLength(1);
    expect(faults[0]).toMatchObject({
      outcome: 'out-of-bounds',
      error: { code: 'ENV_OBSERVATION_BOUNDS', place: { envIndex: 0, episodeSeed: 3, episodeStep: 1 } },
    });
    expect(faults[0].error.message).toMatch(/is 7, outside \[-1, 1\]/);
  });
});

describe('saved states', () => {
  /** All instances write into one observation, and hand out and keep their live state. */
  function sharing(): () => Env {
    const shared = new Float32Array(1);
    return () => {
      let live = { t: 0 };
      const observe = () => {
        shared[0] = live.t;
        return shared;
      };
      return {
        observationSpace: new Box(0, 1000, [1]),
        actionSpace: new Discrete(2),
        reset: ({ seed = 0 } = {}) => {
          live.t = seed;
          return { observation: observe() };
        },
        step: () => {
          live.t += 1;
          return { observation: observe(), reward: live.t, terminated: false, truncated: false };
        },
        getState: () => live,
        setState: (state) => {
          live = state as typeof live;
        },
      };
    };
  }

  it('are copies, whatever the environment keeps and shares', () => {
    const env = vectorizeEnv(sharing(), 2);
    const rows = makeRows(env);
    env.reset(Uint32Array.of(10, 20), rows);
    const state = env.getState!(0);
    const text = JSON.stringify(state);
    expect(state).toMatchObject({ env: { env: { t: 10 }, observation: [10] } });
    env.step(new Int32Array(2), Uint32Array.of(0, 0), rows);
    expect(JSON.stringify(state)).toBe(text);
    env.setState!(1, state, rows);
    env.step(new Int32Array(2), Uint32Array.of(0, 0), rows);
    expect(JSON.stringify(state)).toBe(text);
    expect([...rows.observations]).toEqual([12, 11]);
  });
});
