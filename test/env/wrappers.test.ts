import { describe, expect, it } from 'vitest';
import { checkEnv } from '../../src/env/check-env.ts';
import { formatCheckReport } from '../../src/env/check-report.ts';
import type { Env, StepResult } from '../../src/env/env.ts';
import { openEnvRandom } from '../../src/env/env-random.ts';
import { Box, Dict, Discrete, MultiDiscrete } from '../../src/env/spaces.ts';
import { vectorizeEnv } from '../../src/env/vectorize.ts';
import {
  autoreset,
  clipAction,
  clipReward,
  delayObservation,
  discretizeAction,
  discretizeObservation,
  dtypeObservation,
  filterObservation,
  flattenObservation,
  frameStackObservation,
  grayscaleObservation,
  maxAndSkipObservation,
  orderEnforcing,
  passiveEnvChecker,
  recordEpisodeStatistics,
  repeatAction,
  rescaleAction,
  rescaleObservation,
  reshapeObservation,
  resizeObservation,
  seededMathRandom,
  stickyAction,
  timeAwareObservation,
  timeLimit,
  transformAction,
  transformObservation,
  transformReward,
} from '../../src/env/wrappers/index.ts';
import { openEpisodeStream } from '../../src/random/episode-stream.ts';
import { makeRows } from './step-rows.ts';

/** Observation [t], reward t; remembers what it was given; ends (terminated) at `length`. */
function clock(length = 1000, overrides: Partial<Env> = {}): Env & { taken: unknown[] } {
  let t = 0;
  const taken: unknown[] = [];
  return {
    observationSpace: new Box(0, 1000, [1]),
    actionSpace: new Discrete(3),
    maxEpisodeSteps: 100,
    reset: () => {
      t = 0;
      return { observation: [t], info: { fresh: true } };
    },
    step: (action) => {
      taken.push(action);
      t += 1;
      return { observation: [t], reward: t, terminated: t === length, truncated: false };
    },
    getState: () => t,
    setState: (state) => {
      t = state as number;
    },
    taken,
    ...overrides,
  };
}

function play(env: Env, ...actions: unknown[]): StepResult[] {
  env.reset({ seed: 3 });
  return actions.map((action) => env.step(action));
}

/** Runs two steps, saves, restores into a fresh one, and expects both to go on alike. */
function expectSavedState(make: () => Env, actions: unknown[]): void {
  const env = make();
  play(env, ...actions.slice(0, 2));
  const other = make();
  other.reset({ seed: 9 });
  other.setState!(JSON.parse(JSON.stringify(env.getState!())));
  for (const action of actions.slice(2)) expect(other.step(action)).toEqual(env.step(action));
}

describe('time', () => {
  it('timeLimit truncates and leaves terminated alone', () => {
    const flags = (length: number) =>
      play(timeLimit(clock(length), 3), 0, 0, 0).map((r) => [r.terminated, r.truncated]);
    expect(flags(99)).toEqual([
      [false, false],
      [false, false],
      [false, true],
    ]);
    expect(flags(3)[2]).toEqual([true, true]);
    expectSavedState(() => timeLimit(clock(), 4), [0, 0, 0, 0]);
    expect(() => timeLimit(clock(), 0)).toThrowError(expect.objectContaining({ code: 'CONFIG_WRAPPER' }));
  });

  it('timeAwareObservation appends the share of the limit', () => {
    const env = timeAwareObservation(clock(), 4);
    expect(env.reset().observation).toEqual(Float32Array.of(0, 0));
    expect(play(env, 0, 0).map((r) => r.observation)).toEqual([
      Float32Array.of(1, 0.25),
      Float32Array.of(2, 0.5),
    ]);
    expect(env.observationSpace).toEqual(new Box([0, 0], [1000, 1]));
    expect(timeAwareObservation(clock()).observationSpace).toMatchObject({ size: 2 });
    expectSavedState(() => timeAwareObservation(clock(), 9), [0, 0, 0]);
    expect(() => timeAwareObservation(clock(9, { maxEpisodeSteps: undefined as never }))).toThrow(/limit/);
  });

  it('recordEpisodeStatistics sums up at the end', () => {
    const results = play(recordEpisodeStatistics(clock(3)), 0, 0, 0);
    expect(results.map((r) => r.info?.episode)).toEqual([undefined, undefined, { return: 6, length: 3 }]);
    expectSavedState(() => recordEpisodeStatistics(clock(4)), [0, 0, 0, 0]);
    const declared = play(recordEpisodeStatistics(clock(9, { maxEpisodeSteps: 2 })), 0, 0);
    expect(declared[1].info?.episode).toEqual({ return: 3, length: 2 });
  });
});

describe('actions', () => {
  const arm = () => clock(1000, { actionSpace: new Box([-2, 0], [2, 10]) });

  it('clipAction and rescaleAction', () => {
    const clipped = arm();
    play(clipAction(clipped), [5, -1], [1, 3]);
    expect(clipped.taken).toEqual([Float32Array.of(2, 0), Float32Array.of(1, 3)]);
    const scaled = arm();
    const env = rescaleAction(scaled, 0, 1);
    expect(env.actionSpace).toEqual(new Box(0, 1, [2]));
    play(env, [0, 0], [1, 1], [0.25, 0.5]);
    expect(scaled.taken).toEqual([Float32Array.of(-2, 0), Float32Array.of(2, 10), Float32Array.of(-1, 5)]);
    expect(() => rescaleAction(clock())).toThrow(/Box/);
    expect(() => rescaleAction(clipAction(arm()))).toThrow(/finite/);
    expect(() => clipAction(clock())).toThrowError(expect.objectContaining({ code: 'CONFIG_WRAPPER' }));
  });

  it('repeatAction sums rewards and stops at the end', () => {
    const results = play(repeatAction(clock(5), 3), 0, 1);
    expect(results.map((r) => [r.reward, r.terminated])).toEqual([
      [6, false],
      [9, true],
    ]);
  });

  it('what repeats steps keeps a limit that counts them', () => {
    for (const wrap of [repeatAction, maxAndSkipObservation]) {
      for (const limit of [100, 10, 3]) {
        const inner = clock(1e6, { maxEpisodeSteps: limit });
        const vector = vectorizeEnv(() => wrap(inner, 4), 1);
        const rows = makeRows(vector);
        vector.reset(Uint32Array.of(1), rows);
        let numActions = 0;
        do {
          vector.step(Int32Array.of(0), Uint32Array.of(1), rows);
          numActions += 1;
        } while (rows.truncated[0] === 0);
        expect(inner.taken.length).toBe(limit);
        expect(numActions).toBe(Math.ceil(limit / 4));
      }
      expect(wrap(clock(9, { maxEpisodeSteps: null }), 4).maxEpisodeSteps).toBeNull();
      expectSavedState(() => wrap(clock(1e6, { maxEpisodeSteps: 10 }), 4), [0, 0, 0]);
    }
  });

  it('what repeats steps declares neither stacked frames nor rewards of goals', () => {
    const goals = () => frameStackObservation(clock(9, { computeReward: () => 1 }), 2);
    expect(goals().frameStack).toEqual({ numFrames: 2, groupSize: 1 });
    for (const wrap of [repeatAction, maxAndSkipObservation]) {
      expect(wrap(goals(), 4).frameStack).toBeUndefined();
      expect(wrap(clock(9, { computeReward: () => 1 }), 4).computeReward).toBeUndefined();
    }
  });

  it('every declared member of an environment comes through a wrapper that does not change it', () => {
    const env = clock(9, {
      masksActions: true,
      frameStack: { numFrames: 2, groupSize: 1 },
      computeReward: () => 1,
      computeTerminated: () => false,
      render: () => 'picture',
      close: () => undefined,
    });
    const box = { ...env, actionSpace: new Box(-1, 1, [1]) };
    const all: readonly [name: string, wrapped: Env, changed: readonly string[]][] = [
      ['timeLimit', timeLimit(env, 5), ['maxEpisodeSteps']],
      ['recordEpisodeStatistics', recordEpisodeStatistics(env), []],
      ['clipAction', clipAction(box), ['actionSpace']],
      ['rescaleAction', rescaleAction(box), ['actionSpace']],
      ['stickyAction', stickyAction({ ...env, masksActions: false }), ['masksActions']],
      ['clipReward', clipReward(env), []],
      [
        'repeatAction',
        repeatAction(env, 2),
        ['maxEpisodeSteps', 'frameStack', 'computeReward', 'computeTerminated'],
      ],
    ];
    const { taken: _, ...members } = env;
    for (const [name, wrapped, changed] of all) {
      for (const [member, value] of Object.entries(members)) {
        const now = wrapped[member as keyof Env];
        if (changed.includes(member)) expect(now, `${name} ${member}`).not.toEqual(value);
        else if (typeof value === 'function') expect(now, `${name} ${member}`).toBeTypeOf('function');
        else expect(now, `${name} ${member}`).toEqual(value);
      }
    }
  });

  it('maxAndSkipObservation takes the larger of the last two observations', () => {
    const heights = [3, 9, 4, 7, 1, 2, 8, 5];
    let t = 0;
    const flicker = clock(1000, {
      step: () => ({ observation: [heights[t++]], reward: 1, terminated: t === 7, truncated: false }),
    });
    const results = play(maxAndSkipObservation(flicker, 4), 0, 0);
    expect(results.map((r) => [...(r.observation as Float32Array)])).toEqual([[7], [8]]);
    expect(results.map((r) => r.reward)).toEqual([4, 3]);
  });

  it('maxAndSkipObservation takes the last two also where the limit makes an action shorter, and reads no others', () => {
    const heights = [3, 9, 7, 4, 8, 6, 5];
    const shortened = (limit: number) => {
      let t = 0;
      const read: number[] = [];
      const flicker = clock(1000, {
        maxEpisodeSteps: limit,
        step: () => {
          const height = heights[t++];
          const observation = new Proxy([height], {
            get(array, key, receiver) {
              if (key === '0') read.push(height);
              return Reflect.get(array, key, receiver);
            },
          });
          return { observation, reward: 1, terminated: false, truncated: false };
        },
      });
      const results = play(maxAndSkipObservation(flicker, 4), 0, 0);
      return { seen: results.map((r) => (r.observation as Float32Array)[0]), read };
    };
    expect(shortened(7)).toEqual({ seen: [7, 6], read: [7, 4, 6, 5] });
    expect(shortened(6)).toEqual({ seen: [7, 8], read: [7, 4, 8, 6] });
    expect(shortened(5)).toEqual({ seen: [7, 8], read: [7, 4, 8] });
  });

  it("seededMathRandom lends reset and step a Math.random of the episode's seed, and nobody else", () => {
    const game = () => {
      const env = clock(1e6);
      return clock(1e6, {
        reset: (options) => ({ ...env.reset(options), observation: [Math.random()] }),
        step: (action) => ({ ...env.step(action), observation: [Math.random()] }),
        getState: env.getState!,
        setState: env.setState!,
      });
    };
    const seen = (seed: number, env = seededMathRandom(game())) =>
      [env.reset({ seed }), env.step(0), env.step(0)].map(({ observation }) => (observation as number[])[0]);
    const env = seededMathRandom(game());
    expect(seen(5)).toEqual(seen(5, env));
    expect(seen(5, env)).toEqual(seen(5));
    expect(seen(6)).not.toEqual(seen(5));
    expect(new Set([...seen(5), ...seen(6)]).size).toBe(6);
    const stream = openEpisodeStream(5, 'math');
    expect(seen(5)).toEqual([stream.uniform(), stream.uniform(), stream.uniform()]);
    expectSavedState(() => seededMathRandom(game()), [0, 0, 0, 0]);
    const original = Math.random;
    const throwing = seededMathRandom(
      clock(9, {
        step: () => {
          throw new Error('crash');
        },
      }),
    );
    throwing.reset({ seed: 1 });
    expect(() => throwing.step(0)).toThrow('crash');
    expect(Math.random).toBe(original);
    const drifting = () => {
      const inner = game();
      return { ...inner, observationSpace: new Box(0, 1, [1]), maxEpisodeSteps: 20 };
    };
    expect(checkEnv(() => seededMathRandom(drifting())).findings.map(({ code }) => code)).not.toContain(
      'ENV_MATH_RANDOM',
    );
    expect(checkEnv(drifting).findings.map(({ code }) => code)).toContain('ENV_MATH_RANDOM');
  });

  it('stickyAction repeats with the given probability, after the seed', () => {
    const run = (seed: number, probability: number) => {
      const env = clock(1e6);
      const wrapped = stickyAction(env, probability);
      wrapped.reset({ seed });
      for (let t = 0; t < 2000; t++) wrapped.step(t % 3);
      return env.taken;
    };
    const numStuck = run(1, 0.25).filter((action, t) => action !== t % 3).length;
    // 0.25 of the steps stick, and a stuck action differs from the wanted one unless it is stuck for three.
    expect(Math.abs(numStuck / 2000 - (0.25 - 0.25 ** 3 * 0.75))).toBeLessThan(0.05);
    expect(run(1, 0.25)).toEqual(run(1, 0.25));
    expect(run(2, 0.25)).not.toEqual(run(1, 0.25));
    expect(run(1, 0).every((action, t) => action === t % 3)).toBe(true);
    expect(run(1, 1).every((action) => action === 0)).toBe(true);
    expect(() => stickyAction(clock(), 1.5)).toThrow(/\[0, 1\]/);
    const box = () => stickyAction(clock(99, { actionSpace: new Box(-1, 1, [1]) }), 0.5);
    expectSavedState(
      box,
      [1, 2, 3, 4, 5, 6].map((x) => Float32Array.of(x)),
    );
  });
});

describe('rewards', () => {
  it('transform and clip', () => {
    expect(
      play(
        transformReward(clock(), (r) => -2 * r),
        0,
        0,
      ).map((r) => r.reward),
    ).toEqual([-2, -4]);
    expect(play(clipReward(clock(), 0, 2), 0, 0, 0).map((r) => r.reward)).toEqual([1, 2, 2]);
    expect(() => clipReward(clock(), 1, 0)).toThrowError(expect.objectContaining({ code: 'CONFIG_WRAPPER' }));
  });
});

describe('observations', () => {
  it('transformObservation', () => {
    const env = transformObservation(clock(), new Box(-1, 0, [1]), (t) => [-(t as number[])[0] / 1000]);
    expect(env.reset().observation).toEqual([-0]);
    expect(play(env, 0)[0].observation).toEqual([-0.001]);
  });

  it('flattenObservation keeps bounds and one-hot encodes', () => {
    const env = flattenObservation(
      clock(9, {
        observationSpace: new Dict({ b: new Discrete(3), a: new Box(-5, 5, [2]) }),
        reset: () => ({ observation: { a: [1, 2], b: 2 } }),
      }),
    );
    expect(env.observationSpace).toEqual(new Box([-5, -5, 0, 0, 0], [5, 5, 1, 1, 1]));
    expect(env.reset().observation).toEqual(Float32Array.of(1, 2, 0, 0, 1));
  });

  it('frameStackObservation concatenates vectors, oldest first', () => {
    const env = frameStackObservation(clock(), 3);
    expect(env.observationSpace).toEqual(new Box(0, 1000, [3]));
    expect(env.reset().observation).toEqual(Float32Array.of(0, 0, 0));
    expect(play(env, 0, 0, 0, 0).map((r) => [...(r.observation as Float32Array)])).toEqual([
      [0, 0, 1],
      [0, 1, 2],
      [1, 2, 3],
      [2, 3, 4],
    ]);
    expectSavedState(() => frameStackObservation(clock(), 3), [0, 0, 0, 0]);
    expect(
      frameStackObservation(clock(9, { observationSpace: new MultiDiscrete([2, 2]) }), 2).observationSpace,
    ).toMatchObject({ size: 8 });
  });

  it('frameStackObservation stacks images along their channels', () => {
    let t = 0;
    const env = frameStackObservation(
      clock(9, {
        observationSpace: new Box(0, 255, [1, 2, 2], 'uint8'),
        reset: () => ({ observation: Uint8Array.of(1, 2, 3, 4) }),
        step: () => ({
          observation: Uint8Array.of(1, 2, 3, 4).map((x) => x + 10 * ++t),
          reward: 0,
          terminated: false,
          truncated: false,
        }),
      }),
      2,
    );
    expect(env.observationSpace).toEqual(new Box(0, 255, [1, 2, 4], 'uint8'));
    expect(env.reset().observation).toEqual(Uint8Array.of(1, 2, 1, 2, 3, 4, 3, 4));
    expect(play(env, 0)[0].observation).toEqual(Uint8Array.of(1, 2, 11, 22, 3, 4, 33, 44));
  });

  it('grayscaleObservation and resizeObservation', () => {
    const image = (height: number, width: number, channels: number, pixels: number[]) =>
      clock(9, {
        observationSpace: new Box(0, 255, [height, width, channels], 'uint8'),
        reset: () => ({ observation: Uint8Array.from(pixels) }),
      });
    const gray = grayscaleObservation(image(1, 3, 3, [255, 0, 0, 0, 255, 0, 10, 20, 200]));
    expect(gray.observationSpace).toEqual(new Box(0, 255, [1, 3, 1], 'uint8'));
    expect(gray.reset().observation).toEqual(Uint8Array.of(76, 150, 38)); // 76.2, 149.7, 37.5
    const halved = resizeObservation(image(2, 4, 1, [0, 10, 20, 30, 40, 50, 60, 70]), 1, 2);
    expect(halved.reset().observation).toEqual(Uint8Array.of(25, 45));
    // Three pixels onto two: each new one covers one and a half old ones.
    expect(resizeObservation(image(1, 3, 1, [0, 90, 180]), 1, 2).reset().observation).toEqual(
      Uint8Array.of(30, 150),
    );
    expect(resizeObservation(image(1, 2, 1, [7, 9]), 2, 4).reset().observation).toEqual(
      Uint8Array.of(7, 7, 9, 9, 7, 7, 9, 9),
    );
    for (const wrap of [grayscaleObservation, (env: Env) => resizeObservation(env, 2, 2)]) {
      expect(() => wrap(clock())).toThrowError(expect.objectContaining({ code: 'CONFIG_WRAPPER' }));
    }
    expect(() => grayscaleObservation(image(1, 1, 1, [0]))).toThrow(/three channels/);
    // Training divides pixels by the upper bound of their space.
    const binary = clock(9, { observationSpace: new Box(0, 1, [2, 2, 3], 'uint8') });
    for (const wrapped of [grayscaleObservation(binary), resizeObservation(binary, 1, 1)]) {
      expect([...(wrapped.observationSpace as Box).high].every((bound) => bound === 1)).toBe(true);
    }
  });
});

describe('bins, parts, types, delays', () => {
  const box = (overrides: Partial<Env> = {}) =>
    clock(1000, {
      observationSpace: new Box([0, -1], [8, 1]),
      reset: () => ({ observation: [3, 0.5] }),
      ...overrides,
    });

  it('discretizeAction gives the middle of a bin', () => {
    const arm = clock(1000, { actionSpace: new Box([-2, 0], [2, 9]) });
    const env = discretizeAction(arm, [4, 3]);
    expect(env.actionSpace).toEqual(new Discrete(12));
    play(env, 0, 5, 11);
    expect(arm.taken).toEqual([
      Float32Array.of(-1.5, 1.5),
      Float32Array.of(-0.5, 7.5),
      Float32Array.of(1.5, 7.5),
    ]);
    const apart = clock(1000, { actionSpace: new Box([-2, 0], [2, 9]) });
    play(discretizeAction(apart, 2, true), [0, 1]);
    expect(apart.taken).toEqual([Float32Array.of(-1, 6.75)]);
    expect(() => discretizeAction(arm, [4])).toThrow(/one for each of the 2 elements/);
    expect(() => discretizeAction(arm, 300)).toThrow(/90000 choices/);
    expect(() => discretizeAction(clipAction(arm), 3)).toThrow(/finite bounds/);
    expect(() => discretizeAction(clock(), 3)).toThrowError(
      expect.objectContaining({ code: 'CONFIG_WRAPPER' }),
    );
  });

  it('transformAction', () => {
    const inner = clock();
    play(
      transformAction(inner, new Discrete(2), (action) => 2 - (action as number)),
      0,
      1,
    );
    expect(inner.taken).toEqual([2, 1]);
  });

  it('discretizeObservation gives the bin, the upper bound in the last one', () => {
    const seen = (observation: number[], multiDiscrete = false) =>
      discretizeObservation(box({ reset: () => ({ observation }) }), [4, 2], multiDiscrete).reset()
        .observation;
    expect(seen([3, 0.5])).toBe(1 * 2 + 1);
    expect(seen([8, 1])).toBe(7);
    expect(seen([0, -1])).toBe(0);
    expect(seen([2, 0], true)).toEqual(Int32Array.of(1, 1));
    expect(discretizeObservation(box(), 3).observationSpace).toEqual(new Discrete(9));
  });

  it('rescaleObservation, reshapeObservation, dtypeObservation', () => {
    expect(rescaleObservation(box()).reset().observation).toEqual(Float32Array.of(-0.25, 0.5));
    expect(() => rescaleObservation(box({ observationSpace: new Box(0, Infinity, [2]) }))).toThrow(/finite/);
    expect(reshapeObservation(box(), [2, 1]).observationSpace).toMatchObject({ shape: [2, 1] });
    expect(() => reshapeObservation(box(), [3])).toThrow(/holds 3/);
    const bytes = dtypeObservation(box({ observationSpace: new Box(0, 8.5, [2]) }), 'uint8');
    expect(bytes.observationSpace).toEqual(new Box(0, 8, [2], 'uint8'));
    expect(bytes.reset().observation).toEqual(Uint8Array.of(3, 0));
    expect(() => dtypeObservation(box(), 'uint8')).toThrow(/\[0, 255\]/);
  });

  it('filterObservation keeps parts', () => {
    const env = clock(9, {
      observationSpace: new Dict({ a: new Box(0, 1, [2]), b: new Discrete(3), c: new Box(0, 9, [1]) }),
      reset: () => ({ observation: { a: [1, 0], b: 2, c: [7] } }),
    });
    const kept = filterObservation(env, ['c', 'b']);
    expect(kept.observationSpace).toEqual(new Dict({ b: new Discrete(3), c: new Box(0, 9, [1]) }));
    expect(kept.reset().observation).toEqual({ b: 2, c: Float32Array.of(7) });
    for (const keys of [[], ['d'], ['b', 'b']])
      expect(() => filterObservation(env, keys)).toThrow(/each once/);
  });

  it('delayObservation shows what was', () => {
    const env = delayObservation(clock(), 2);
    expect([...(env.reset().observation as Float32Array)]).toEqual([0]);
    expect(play(env, 0, 0, 0, 0).map((r) => (r.observation as Float32Array)[0])).toEqual([0, 0, 1, 2]);
    expectSavedState(() => delayObservation(clock(), 2), [0, 0, 0, 0]);
  });

  it('orderEnforcing, passiveEnvChecker, autoreset', () => {
    const env = orderEnforcing(clock(1));
    expect(() => env.step(0)).toThrow(/before the first step/);
    expect(play(env, 0)[0].terminated).toBe(true);
    expect(() => env.step(0)).toThrow(/after an end/);
    expect(() => play(orderEnforcing(clock(1), false), 0, 0)).not.toThrow();
    const broken = (observation: unknown) => () =>
      passiveEnvChecker(box({ reset: () => ({ observation }) as never })).reset();
    expect(broken([3, 0.5])).not.toThrow();
    expect(broken([3, 2])).toThrowError(expect.objectContaining({ code: 'ENV_OBSERVATION_BOUNDS' }));
    expect(broken([3])).toThrowError(expect.objectContaining({ code: 'ENV_OBSERVATION_SHAPE' }));
    expect(broken([3, Number.NaN])).toThrowError(
      expect.objectContaining({ code: 'ENV_OBSERVATION_NON_FINITE' }),
    );
    const seeds: unknown[] = [];
    const inner = clock(2);
    const again = autoreset({
      ...inner,
      reset: (options) => {
        seeds.push(options?.seed);
        return inner.reset(options);
      },
    });
    expect(
      play(again, 0, 0, 0, 0).map((r) => [r.reward, r.terminated, (r.observation as number[])[0]]),
    ).toEqual([
      [1, false, 1],
      [2, true, 2],
      [0, false, 0],
      [1, false, 1],
    ]);
    expect(seeds).toEqual([3, 4]);
  });
});

describe('all together', () => {
  /** A faultless environment with continuous actions and a generator. */
  class Drift implements Env {
    readonly observationSpace = new Box(-50, 50, [2]);
    readonly actionSpace = new Box(-3, 3, [1]);
    readonly maxEpisodeSteps = 40;
    private random = openEnvRandom(0);
    private place = 0;
    reset({ seed = 0 } = {}) {
      this.random = openEnvRandom(seed);
      this.place = 0;
      return { observation: [0, 0] };
    }
    step(action: unknown) {
      const [push] = action as Float32Array;
      this.place = Math.max(-40, Math.min(40, this.place + push + this.random.uniform(-1, 1)));
      const isOut = Math.abs(this.place) > 20;
      return {
        observation: [this.place, push],
        reward: -Math.abs(this.place),
        terminated: isOut,
        truncated: false,
      };
    }
    getState() {
      return { place: this.place, random: this.random.getState() };
    }
    setState(state: never) {
      const saved = state as { place: number; random: never };
      this.place = saved.place;
      this.random.setState(saved.random);
    }
  }

  it('passes checkEnv: seeds, resets, neighbours, saved states', () => {
    const factory = () =>
      recordEpisodeStatistics(
        clipReward(
          frameStackObservation(
            timeAwareObservation(repeatAction(stickyAction(rescaleAction(new Drift()), 0.3), 2), 20),
            3,
          ),
          -5,
          0,
        ),
      );
    const report = checkEnv(() => timeLimit(factory(), 20));
    const mistakes = report.findings.filter(({ code }) => code !== 'ENV_STEP_AFTER_END');
    expect(mistakes, formatCheckReport(report)).toEqual([]);
    expect(report.observationSpace).toBe('Box(9) f32 [-50..0, 1..50]');
  });
});
