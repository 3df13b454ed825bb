/** Gymnasium's and ale-py's environments through the bridge, beside the same in Python. */
import { crc32 } from 'node:zlib';
import { describe, expect, onTestFinished, test } from 'vitest';
import { resolveEnv } from '../../../src/env/env-source.ts';
import { makeVectorEnv } from '../../../src/env/load-env.ts';
import { makeRows } from '../step-rows.ts';
import { askPython, findPythonWith, openPython } from './open-python.ts';

const python = findPythonWith('gymnasium');
const atariPython = findPythonWith('ale_py, gymnasium');
const u32 = (...values: number[]) => Uint32Array.from(values);

describe.skipIf(python === null)('gymnasium:', () => {
  const found = python ?? '';

  test('CartPole: observations, rewards and ends are those of Python, every episode from its seed', async () => {
    const expected = askPython<number[]>(
      found,
      `
import gymnasium, json
env, told = gymnasium.make("CartPole-v1"), []
observation, _ = env.reset(seed=42)
for t in range(100):
    told += observation.tolist()
    observation, reward, terminated, truncated, _ = env.step((t // 3) % 2)
    told += [reward, int(terminated), int(truncated)]
    if terminated or truncated:
        told += observation.tolist()
        observation, _ = env.reset(seed=t)
print(json.dumps(told))`,
    );
    const { env, out } = await openPython('gymnasium:CartPole-v1', found, 1);
    const told: number[] = [];
    env.reset(u32(42), out);
    for (let t = 0; t < 100; t++) {
      told.push(...out.observations);
      env.step(Int32Array.of(Math.floor(t / 3) % 2), u32(t), out);
      told.push(out.rewards[0], out.terminated[0], out.truncated[0]);
      if (out.terminated[0] === 1) told.push(...out.finalObservations);
    }
    expect(told).toEqual(expected);
  });

  test('wrappers with options, and a limit of ours', async () => {
    const wrappers = [{ name: 'FrameStackObservation', options: { stack_size: 3 } }];
    const { env, out } = await openPython('gymnasium:CartPole-v1', found, 1, {
      wrappers,
      maxEpisodeSteps: 4,
    });
    expect(env.frameStack).toEqual({ numFrames: 3, groupSize: 4 });
    env.reset(u32(1), out);
    expect([...out.observations.subarray(0, 4)]).toEqual([...out.observations.subarray(8)]);
    for (let t = 0; t < 4; t++) env.step(Int32Array.of(t % 2), u32(1), out);
    expect(out.truncated[0]).toBe(1);
  });

  test('a list of wrappers in a config goes around it, all rows stepping together, as Python puts its own', async () => {
    const expected = askPython<number[][]>(
      found,
      `
import gymnasium, json
from gymnasium import wrappers
told = []
for n in range(2):
    env = wrappers.FrameStackObservation(wrappers.RepeatAction(gymnasium.make("CartPole-v1"), 3), 2)
    observation, _ = env.reset(seed=5 + n)
    told.append(observation.ravel().tolist())
    for t in range(12):
        observation, reward, terminated, truncated, _ = env.step((t + n) % 2)
        told[n] += observation.ravel().tolist() + [reward, int(terminated)]
        if terminated or truncated:
            observation, _ = env.reset(seed=100 + t)
            told[n] += observation.ravel().tolist()
print(json.dumps(told))`,
    );
    const source = {
      ...resolveEnv('gymnasium:CartPole-v1', { python: found }),
      wrappers: [
        { name: 'repeatAction', numSteps: 3 },
        { name: 'frameStackObservation', numFrames: 2 },
      ],
    };
    const env = await makeVectorEnv(source, 2);
    onTestFinished(() => env.close?.());
    const out = makeRows(env);
    const told: number[][] = [[], []];
    const tell = (n: number, rows: ArrayLike<number>) =>
      told[n].push(...Array.from(rows).slice(8 * n, 8 * n + 8));
    env.reset(u32(5, 6), out);
    for (let n = 0; n < 2; n++) tell(n, out.observations);
    for (let t = 0; t < 12; t++) {
      env.step(Int32Array.of(t % 2, (t + 1) % 2), u32(100 + t, 100 + t), out);
      for (let n = 0; n < 2; n++) {
        const hasEnded = out.terminated[n] === 1;
        tell(n, hasEnded ? out.finalObservations : out.observations);
        told[n].push(out.rewards[n], out.terminated[n]);
        if (hasEnded) tell(n, out.observations);
      }
    }
    expect(told).toEqual(expected);
    expect(told[0].filter((x) => x === 1).length).toBeGreaterThan(1);
  });

  test("Python's own vector environment steps all rows, with the autoreset that it has", async () => {
    const options = { vectorization: 'vector' };
    await expect(openPython('gymnasium:CartPole-v1', found, 2, options)).rejects.toMatchObject({
      code: 'CONFIG_ENV_AUTORESET',
    });
    const { env, out } = await openPython('gymnasium:CartPole-v1', found, 2, options, 'next-step');
    env.reset(u32(7, 8), out);
    let numEnds = 0;
    for (let t = 0; t < 60; t++) {
      const hadEnded = out.terminated[0] === 1;
      env.step(Int32Array.of(1, t % 2), u32(1, 1), out);
      if (!hadEnded) continue;
      numEnds += 1;
      expect([out.rewards[0], out.terminated[0]]).toEqual([0, 0]);
      expect(out.observations.subarray(0, 4).every((x) => Math.abs(x) <= 0.05)).toBe(true);
    }
    expect(numEnds).toBeGreaterThan(3);
  });

  test('an id that it does not know, and a package that is not there', async () => {
    await expect(openPython('gymnasium:CartPoll-v1', found, 1)).rejects.toMatchObject({
      code: 'CONFIG_ENV_UNKNOWN',
      message: expect.stringContaining('CartPole'),
    });
  });
});

test.skipIf(atariPython === null)(
  'ale-py: rows are reset by themselves, and the step after that is a step',
  async () => {
    const options = { vectorization: 'vector', kwargs: { num_threads: 1, noop_max: 0 }, maxEpisodeSteps: 5 };
    const { env, out, metrics } = await openPython('gymnasium:ALE/Pong-v5', atariPython ?? '', 2, options);
    env.reset(u32(1, 2), out);
    for (let t = 0; t < 4; t++) env.step(Int32Array.of(0, 0), u32(1, 2), out);
    env.resetRows(Uint8Array.of(0, 1), u32(1, 2), out);
    const frames = () => metrics.filter(([, name]) => name === 'episode_frame_number').slice(-2);
    const [[, , first]] = frames();
    env.step(Int32Array.of(0, 0), u32(1, 2), out);
    expect([...out.truncated]).toEqual([1, 0]);
    expect(frames().map(([, , frame]) => frame)).toEqual([first + 4, first - 12]);
    env.step(Int32Array.of(0, 0), u32(1, 2), out);
    expect(frames().map(([, , frame]) => frame)).toEqual([first - 12, first - 8]);
  },
);

const prettyPython = findPythonWith('ale_py, gymnasium, cv2');

test.skipIf(prettyPython === null)(
  "Atari's preprocessing gives Gymnasium's frames, an end at a lost life, and a channel to stack along",
  async () => {
    const found = prettyPython ?? '';
    const expected = askPython<number[][]>(
      found,
      `
import ale_py, gymnasium, json, zlib
from gymnasium.wrappers import AtariPreprocessing
gymnasium.register_envs(ale_py)
env = gymnasium.make("ALE/Breakout-v5", frameskip=1, repeat_action_probability=0.0)
env = AtariPreprocessing(env, noop_max=8, terminal_on_life_loss=True)
observation, _ = env.reset(seed=3)
told = [[zlib.crc32(observation.tobytes())]]
for t in range(60):
    observation, reward, terminated, truncated, _ = env.step(1 if t % 7 == 0 else 2)
    told.append([zlib.crc32(observation.tobytes()), reward, int(terminated)])
    if terminated:
        break
print(json.dumps(told))`,
    );
    const atariPreprocessing = { noopMax: 8, terminalOnLifeLoss: true };
    const source = {
      ...resolveEnv('gymnasium:ALE/Breakout-v5', { python: found, atariPreprocessing }),
      wrappers: [{ name: 'frameStackObservation', numFrames: 4 }],
    };
    const env = await makeVectorEnv(source, 1);
    onTestFinished(() => env.close?.());
    expect([env.observationSpace, env.frameStack]).toMatchObject([
      { shape: [84, 84, 4], dtype: 'uint8' },
      { numFrames: 4, groupSize: 1 },
    ]);
    const out = makeRows(env);
    const newest = (stack: ArrayLike<number>) => [
      crc32(Uint8Array.from(stack).filter((_, k) => k % 4 === 3)),
    ];
    env.reset(u32(3), out);
    const told = [newest(out.observations)];
    for (let t = 0; t < expected.length - 1; t++) {
      env.step(Int32Array.of(t % 7 === 0 ? 1 : 2), u32(4), out);
      const hasEnded = out.terminated[0] === 1;
      told.push([
        ...newest(hasEnded ? out.finalObservations : out.observations),
        out.rewards[0],
        out.terminated[0],
      ]);
    }
    expect(told).toEqual(expected);
    expect(told.at(-1)?.[2]).toBe(1);
    for (const [id, options] of [
      ['gymnasium:ALE/Breakout-v5', { atariPreprocessing: { colour: 1 } }],
      ['gymnasium:ALE/Breakout-v5', { atariPreprocessing: { frameSkip: 0 } }],
      ['gymnasium:CartPole-v1', { atariPreprocessing: {} }],
    ] as const)
      await expect(openPython(id, found, 1, options)).rejects.toMatchObject({ code: 'CONFIG_ENV_OPTION' });
  },
);
