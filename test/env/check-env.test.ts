import { describe, expect, it } from 'vitest';
import { checkEnv } from '../../src/env/check-env.ts';
import { formatCheckReport } from '../../src/env/check-report.ts';
import type { Env, EnvFactory, Info, ResetResult, StepResult } from '../../src/env/env.ts';
import { openEnvRandom } from '../../src/env/env-random.ts';
import { channelsFirst } from '../../src/env/image-layout.ts';
import { Box, Dict, Discrete, type Space } from '../../src/env/spaces.ts';

/** A walk on a line, without fault; every test breaks one thing. */
function walk(change: (env: Env) => Partial<Env> = () => ({})): EnvFactory {
  return () => {
    let random = openEnvRandom(0);
    let position = 0;
    let isOver = true;
    const env: Env = {
      observationSpace: new Box(-2, 2, [1]),
      actionSpace: new Discrete(2),
      maxEpisodeSteps: 60,
      reset({ seed = 0 } = {}) {
        random = openEnvRandom(seed);
        position = random.uniform(-0.5, 0.5);
        isOver = false;
        return { observation: [position] };
      },
      step(action) {
        if (isOver) throw new Error('the episode has ended: call reset');
        position += action === 1 ? 0.3 : -0.3;
        position += random.uniform(-0.1, 0.1);
        isOver = Math.abs(position) > 1;
        return { observation: [position], reward: position, terminated: isOver, truncated: false };
      },
      getState: () => ({ position, isOver, random: random.getState() }),
      setState(state) {
        const saved = state as { position: number; isOver: boolean; random: never };
        ({ position, isOver } = saved);
        random.setState(saved.random);
      },
      render: () => `at ${position}`,
    };
    return { ...env, ...change(env) };
  };
}

const changeStep = (change: (result: StepResult) => Partial<StepResult>) =>
  walk((env) => ({
    step(action) {
      const result = env.step(action);
      return { ...result, ...change(result) };
    },
  }));
const withInfo = (info: Info, more: Partial<Env> = {}) =>
  walk((env) => ({
    ...more,
    reset: (options) => ({ ...env.reset(options), info }),
    step: (action) => ({ ...env.step(action), info }),
  }));

let ticks = 0;
/** A number that no seed governs. */
const clock = () => {
  ticks += 1;
  return (ticks / 1000) % 1;
};
const BROKEN: readonly [code: string, what: string, factory: () => unknown, fix: RegExp][] = [
  [
    'ENV_FACTORY_THREW',
    'factory throws',
    () => {
      throw new Error('no');
    },
    /Export a function/,
  ],
  ['ENV_FACTORY_THREW', 'a class', class Env {} as unknown as () => unknown, /=> new Env\(\)/],
  ['CONFIG_ENV_FACTORY', 'no step', walk(() => ({ step: undefined as never })), /reset, step/],
  [
    'CONFIG_ENV_FACTORY',
    'a space that is none',
    walk(() => ({ observationSpace: [4] as unknown as Space })),
    /Export/,
  ],
  [
    'CONFIG_ACTION_SPACE',
    'bytes as actions',
    walk(() => ({ actionSpace: new Dict({ a: new Discrete(2), b: new Box(0, 255, [1], 'uint8') }) })),
    /supported/,
  ],
  [
    'CONFIG_ACTION_MASK',
    'masks over a Box',
    walk(() => ({ masksActions: true, actionSpace: new Box(-1, 1, [1]) })),
    /supported/,
  ],
  [
    'ENV_RESET_THREW',
    'reset throws',
    walk(() => ({
      reset: () => {
        throw new Error('no');
      },
    })),
    /reset/,
  ],
  [
    'ENV_RESET_RESULT',
    'reset returns the bare observation',
    walk(() => ({ reset: () => [0] as unknown as ResetResult })),
    /\{ observation \}/,
  ],
  [
    'ENV_RESET_RESULT',
    'reset gives a promise',
    walk((env) => ({ reset: (() => Promise.resolve(env.reset())) as never })),
    /asynchronous: true/,
  ],
  [
    'ENV_STEP_THREW',
    'step throws',
    walk(() => ({
      step: () => {
        throw new Error('no');
      },
    })),
    /every action/,
  ],
  ['ENV_STEP_RESULT', 'step returns nothing', walk(() => ({ step: (() => {}) as never })), /terminated/],
  [
    'ENV_STEP_RESULT',
    'step returns a tuple',
    walk(() => ({ step: (() => [[0], 0, false, false, {}]) as never })),
    /Array\(5\).*\{ observation, reward/,
  ],
  [
    'ENV_STEP_RESULT',
    'step gives a promise',
    walk((env) => ({ step: ((a: unknown) => Promise.resolve(env.step(a))) as never })),
    /asynchronous: true/,
  ],
  [
    'CONFIG_ENV_ASYNC',
    'async step',
    walk((env) => ({ step: (async (a: unknown) => env.step(a)) as never })),
    /Train it/,
  ],
  ['ENV_OBSERVATION_SHAPE', 'length', changeStep(() => ({ observation: [0, 0] })), /observationSpace/],
  ['ENV_OBSERVATION_SHAPE', 'nested', changeStep(() => ({ observation: [[0]] })), /flat/],
  ['ENV_OBSERVATION_SHAPE', 'strings', changeStep(() => ({ observation: ['0'] })), /observationSpace/],
  [
    'ENV_OBSERVATION_SHAPE',
    'fractions as uint8',
    walk(() => ({ observationSpace: new Box(0, 255, [1], 'uint8'), reset: () => ({ observation: [0.5] }) })),
    /correct the space/,
  ],
  [
    'ENV_OBSERVATION_BOUNDS',
    'out of bounds',
    walk(() => ({ observationSpace: new Box(-0.5, 0.5, [1]) })),
    /Widen/,
  ],
  [
    'ENV_OBSERVATION_NON_FINITE',
    'NaN',
    changeStep(() => ({ observation: [Number.NaN] })),
    /division by zero/,
  ],
  ['ENV_REWARD_NON_FINITE', 'infinite reward', changeStep(() => ({ reward: -Infinity })), /finite/],
  ['ENV_REWARD_NON_FINITE', 'no reward', changeStep(() => ({ reward: undefined as never })), /finite/],
  ['ENV_FLAGS', 'no truncated', changeStep(() => ({ truncated: undefined as never })), /booleans/],
  ['ENV_FLAGS', 'done as a number', changeStep(() => ({ terminated: 0 as never })), /booleans/],
  [
    'ENV_FLAGS',
    'done instead of two flags',
    walk(() => ({ step: (() => ({ observation: [0], reward: 0, done: false })) as never })),
    /`done` is not read/,
  ],
  ['ENV_INFO', 'info is text', withInfo('fine' as unknown as Info), /object/],
  ['ENV_METRIC', 'metric NaN', withInfo({ metrics: { speed: Number.NaN } }), /finite/],
  ['ENV_MASK_MISSING', 'no mask', walk(() => ({ masksActions: true })), /masksActions/],
  ['ENV_MASK_SIZE', 'mask too long', withInfo({ actionMask: [1, 1, 1] }, { masksActions: true }), /0\/1/],
  [
    'ENV_MASK_EMPTY',
    'mask of zeros',
    withInfo({ actionMask: [0, 0] }, { masksActions: true }),
    /end the episode/,
  ],
  ['ENV_MASK_UNDECLARED', 'mask not declared', withInfo({ actionMask: [1, 1] }), /masksActions: true/],
  [
    'ENV_MASK_VALUE',
    'a mask to be added to logits',
    withInfo({ actionMask: [0, -Infinity] }, { masksActions: true }),
    /added to logits/,
  ],
  ['ENV_MASK_UNDECLARED', "Gymnasium's name", withInfo({ action_mask: [1, 1] }), /actionMask/],
  ['ENV_REWARD_NON_FINITE', 'a bigint', changeStep(() => ({ reward: 5n as never })), /bigint/],
  ['ENV_REWARD_NON_FINITE', 'too large for float32', changeStep(() => ({ reward: 1e39 })), /float32/],
  [
    'ENV_OBSERVATION_NON_FINITE',
    'too large for float32',
    walk((env) => ({
      observationSpace: new Box(-Infinity, Infinity, [1]),
      step: (a) => ({ ...env.step(a), observation: [1e39] }),
    })),
    /float32/,
  ],
  [
    'ENV_STATE',
    'a state with NaN',
    walk((env) => ({ getState: () => ({ ...(env.getState?.() as object), best: Number.NaN }) })),
    /state\.best/,
  ],
  [
    'ENV_STATE',
    'a typed array',
    walk((env) => ({
      getState: () => ({ ...(env.getState?.() as object), grid: new Float32Array(2) as never }),
    })),
    /Float32Array\(2\) in `state\.grid`/,
  ],
  [
    'ENV_STATE_LIVE',
    'a state that is no copy',
    () => {
      const live = { t: 0 };
      return {
        observationSpace: new Box(0, 100, [1]),
        actionSpace: new Discrete(2),
        maxEpisodeSteps: 50,
        reset: ({ seed = 0 } = {}) => {
          live.t = seed % 7;
          return { observation: [live.t] };
        },
        step: (action: unknown) => {
          live.t += Number(action);
          return { observation: [live.t], reward: live.t, terminated: false, truncated: false };
        },
        getState: () => live,
        setState: (state: { t: number }) => {
          live.t = state.t;
        },
      };
    },
    /structuredClone/,
  ],
  [
    'ENV_SEED_IGNORED',
    'clock in reset',
    walk((env) => ({ reset: (o) => ({ ...env.reset(o), observation: [clock()] }) })),
    /seed/,
  ],
  [
    'ENV_NOT_DETERMINISTIC',
    'noise from elsewhere in step',
    changeStep((r) => ({
      observation: [(r.observation as number[])[0] / 2 + clock()],
    })),
    /clock/,
  ],
  ['ENV_MATH_RANDOM', 'Math.random', changeStep(() => ({ reward: Math.random() })), /openEnvRandom\(seed\)/],
  [
    'ENV_RESET_INCOMPLETE',
    'a counter that reset forgets',
    () => {
      let numSteps = 0;
      return walk((env) => ({ step: (a) => ({ ...env.step(a), reward: ++numSteps }) }))();
    },
    /put back/,
  ],
  [
    'ENV_SHARED',
    'state in the module',
    (() => {
      let total = 0;
      return walk((env) => ({
        reset: (o) => {
          total = 0;
          return env.reset(o);
        },
        step: (a) => ({ ...env.step(a), reward: ++total }),
      }));
    })(),
    /inside the factory/,
  ],
  [
    'ENV_SHARED',
    'a singleton',
    (() => {
      const one = walk()();
      return () => one;
    })(),
    /every call/,
  ],
  [
    'ENV_STATE',
    'state without the generator',
    walk((env) => ({
      getState: () => ({ ...(env.getState?.() as object), random: openEnvRandom(5).getState() }),
    })),
    /generator/,
  ],
  [
    'ENV_STATE',
    'state that is not JSON',
    walk((env) => ({
      getState: () => new Map([['state', env.getState?.()]]) as never,
      setState: (state) => env.setState?.((state as unknown as Map<string, never>).get('state') as never),
    })),
    /JSON/,
  ],
  ['ENV_STATE_HALF', 'getState alone', walk(() => ({ setState: undefined as never })), /both/],
  [
    'ENV_STEP_AFTER_END',
    'a step after the end',
    walk((env) => {
      let last: StepResult | null = null;
      return {
        reset: (o) => {
          last = null;
          return env.reset(o);
        },
        step: (a) => (last = last?.terminated ? { ...last, terminated: false } : env.step(a)),
      };
    }),
    /Throw/,
  ],
  [
    'ENV_NEVER_ENDS',
    'no end, no limit',
    walk((env) => ({
      maxEpisodeSteps: undefined as never,
      step: (a) => {
        const r = env.step(a);
        return r.terminated ? { ...r, ...env.reset({ seed: 1 }), terminated: false } : r;
      },
    })),
    /maxEpisodeSteps/,
  ],
  ['ENV_MAX_EPISODE_STEPS', 'a limit of 0', walk(() => ({ maxEpisodeSteps: 0 })), /integer/],
  [
    'ENV_TIME_LIMIT_TERMINATES',
    'a limit as terminated',
    walk((env) => {
      let t = 0;
      return {
        reset: (o) => {
          t = 0;
          return env.reset(o);
        },
        step: (a) => {
          const r = env.step(a);
          if (r.terminated) env.reset({ seed: 2 });
          t += 1;
          return { ...r, terminated: t === 20 };
        },
      };
    }),
    /truncated/,
  ],
  [
    'ENV_ALWAYS_THE_SAME',
    'ignores seed and action',
    () => {
      let t = 0;
      return {
        ...walk()(),
        getState: undefined,
        setState: undefined,
        reset: () => {
          t = 0;
          return { observation: [0] };
        },
        step: () => ({ observation: [++t / 10], reward: 1, terminated: t === 10, truncated: false }),
      };
    },
    /uses its action/,
  ],
  [
    'ENV_ACTION_UNBOUNDED',
    'unbounded action',
    walk(() => ({ actionSpace: new Box(-Infinity, Infinity, [1]) })),
    /finite bounds/,
  ],
  [
    'ENV_OBSERVATION_SCALE',
    'large observations',
    walk((env) => ({
      observationSpace: new Box(-1e6, 1e6, [1]),
      step: (a) => ({ ...env.step(a), observation: [5e5] }),
    })),
    /normalizeObservations/,
  ],
  ['ENV_REWARD_SCALE', 'large rewards', changeStep((r) => ({ reward: r.reward * 1e5 })), /normalizeRewards/],
  ['ENV_REWARD_ALWAYS_ZERO', 'no rewards', changeStep(() => ({ reward: 0 })), /first step towards/],
  [
    'ENV_RENDER',
    'a picture of the wrong size',
    walk(() => ({ render: () => ({ width: 4, height: 4, pixels: new Uint8Array(16) }) })),
    /height \* 3/,
  ],
  [
    'ENV_RENDER',
    'nothing at all',
    walk(() => ({ render: () => undefined as never })),
    /got undefined.*Return text/,
  ],
  [
    'ENV_RENDER',
    'a promise',
    walk(() => ({ render: (async () => 'x') as never })),
    /got a promise: render must be synchronous/,
  ],
  [
    'ENV_CHANNELS_FIRST',
    'as PyTorch has them',
    (): Env => {
      const image = new Uint8Array(3 * 16 * 16);
      const env = walk()();
      return {
        ...env,
        observationSpace: new Box(0, 255, [3, 16, 16], 'uint8'),
        reset: (options) => {
          image[0] = 100 + 40 * Number((env.reset(options).observation as number[])[0]);
          return { observation: image };
        },
        step: (action) => {
          const result = env.step(action);
          image[0] = 100 + 40 * Number((result.observation as number[])[0]);
          return { ...result, observation: image };
        },
      };
    },
    /read as 3 rows of 16 pixels with 16 channels.*\[16, 16, 3\]/,
  ],
  [
    'ENV_CLOSE_THREW',
    'before the first reset',
    walk(() => ({
      close: () => {
        throw new Error('no window');
      },
    })),
    /no window/,
  ],
  [
    'ENV_MATH_RANDOM',
    'in a factory, and reset does not draw again',
    () => {
      const offset = Math.random();
      return walk((env) => ({
        reset: (o) => ({ observation: [Number((env.reset(o).observation as number[])[0]) * offset] }),
      }))();
    },
    /factory called Math\.random .* times: .*check-env\.test/,
  ],
  [
    'ENV_RENDER',
    'render throws',
    walk(() => ({
      render: () => {
        throw new Error('no screen');
      },
    })),
    /text/,
  ],
];

describe('checkEnv', () => {
  it('finds nothing in a faultless environment, given as factory or as object', () => {
    for (const env of [walk(), walk()()]) {
      const report = checkEnv(env);
      expect(report.findings).toEqual([]);
      expect(report.ok).toBe(true);
      expect(report.numSteps).toBeGreaterThanOrEqual(2000);
      expect(report.numEpisodes).toBeGreaterThan(20);
    }
  });

  it('takes null for no limit, as training does', () => {
    expect(checkEnv(walk(() => ({ maxEpisodeSteps: null }))).findings).toEqual([]);
  });

  it.each(BROKEN)('%s: %s', (code, _, factory, fix) => {
    const report = checkEnv(factory as EnvFactory, { numSteps: 500 });
    const finding = report.findings.find((each) => each.code === code);
    expect(finding, formatCheckReport(report)).toBeDefined();
    expect(`${finding?.message} ${finding?.fix}`).toMatch(fix);
    expect(report.ok).toBe(report.findings.every(({ severity }) => severity === 'warning'));
  });

  it('names little beside the one mistake', () => {
    const counts = BROKEN.map(
      ([, , factory]) => checkEnv(factory as EnvFactory, { numSteps: 500 }).findings.length,
    );
    expect(Math.max(...counts)).toBeLessThanOrEqual(3);
    expect(counts.filter((count) => count === 1).length).toBeGreaterThan(0.7 * counts.length);
  });

  it('takes no game that is decided after a fixed number of steps for a time limit', () => {
    const game = (): Env => {
      let [t, random] = [0, openEnvRandom(0)];
      return {
        observationSpace: new Box(0, 1, [1]),
        actionSpace: new Discrete(2),
        reset({ seed = 0 } = {}) {
          [t, random] = [0, openEnvRandom(seed)];
          return { observation: [random.random()] };
        },
        step(action) {
          t += 1;
          const isOver = t >= 9;
          const reward = isOver ? 2 * Number(action) - 1 : 0;
          return { observation: [random.random()], reward, terminated: isOver, truncated: false };
        },
      };
    };
    expect(checkEnv(game).findings).toEqual([]);
  });

  it('says where Math.random is called, and takes a factory whose draws reset makes anew', () => {
    const report = checkEnv(changeStep(() => ({ reward: Math.random() })));
    const { message } = report.findings.find(({ code }) => code === 'ENV_MATH_RANDOM')!;
    expect(message).toMatch(/times: .*check-env\.test\.ts:\d+:\d+\)?\.$/);
    const drawn = () => {
      let lane = Math.random();
      return walk((env) => ({
        reset(options) {
          const result = env.reset(options);
          lane = Number((result.observation as number[])[0]);
          return { observation: [lane] };
        },
      }))();
    };
    expect(checkEnv(drawn).findings).toEqual([]);
  });

  it('closes what the factory gave, once each, and leaves an environment that is not its own', () => {
    const closed: number[] = [];
    let numMade = 0;
    const factory = (env: EnvFactory) => () => {
      const k = numMade++;
      return { ...env(), close: () => void closed.push(k) };
    };
    expect(checkEnv(factory(walk())).findings).toEqual([]);
    expect(numMade).toBeGreaterThan(3);
    expect(closed.sort((a, b) => a - b)).toEqual(Array.from({ length: numMade }, (_, k) => k));
    const broken = factory(changeStep(() => ({ reward: Number.NaN })));
    expect(() => checkEnv(broken, { throwOnError: true })).toThrow();
    expect(closed).toHaveLength(numMade);
    checkEnv(factory(walk())());
    expect(closed).toHaveLength(numMade - 1);
  });

  it('takes a class for what it is', () => {
    class Lander {}
    const { findings } = checkEnv(Lander as unknown as EnvFactory);
    expect(findings[0].fix).toBe('`Lander` is a class: give a function that makes one, () => new Lander().');
  });

  it('takes no small grid for an image with its channels first', () => {
    for (const shape of [
      [4, 4, 16],
      [84, 84, 4],
      [3, 3, 2],
      [10, 12, 1],
      [8, 8, 12],
    ]) {
      expect(channelsFirst(new Box(0, 1, shape)), String(shape)).toBeNull();
    }
    for (const shape of [
      [3, 16, 16],
      [1, 84, 84],
      [12, 84, 84],
      [4, 30, 40],
    ]) {
      expect(channelsFirst(new Box(0, 1, shape)), String(shape)).toContain('channels first');
    }
  });

  it('leaves Math.random as it was', () => {
    const original = Math.random;
    checkEnv(changeStep(() => ({ reward: Math.random() })));
    expect(Math.random).toBe(original);
  });

  it('throws when asked to, with all of the report', () => {
    const broken = changeStep(() => ({ reward: Number.NaN }));
    expect(() => checkEnv(broken, { throwOnError: true })).toThrowError(
      expect.objectContaining({
        code: 'ENV_CHECK',
        message: expect.stringContaining('ENV_REWARD_NON_FINITE'),
      }),
    );
    expect(() => checkEnv(walk(), { throwOnError: true })).not.toThrow();
  });

  it('formats for people', () => {
    const text = formatCheckReport(checkEnv(changeStep(() => ({ reward: Number.NaN }))));
    expect(text).toContain('observations Box(1) f32 [-2, 2], actions Discrete(2)');
    expect(text).toMatch(
      /ERROR {3}ENV_REWARD_NON_FINITE: step 1 .*: Expected `reward` to be a finite number .*, got NaN\.\n {8}Return a finite number/,
    );
    expect(text).toContain('1 errors, 0 warnings');
  });
});
