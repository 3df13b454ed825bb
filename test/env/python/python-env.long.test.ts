/** Environments in Python through the bridge: what they give, in each autoreset mode, and what becomes of them when something breaks. */
import { describe, expect, test } from 'vitest';
import type { EnvFault, EnvFaultHandling } from '../../../src/env/env-faults.ts';
import { resolveEnv } from '../../../src/env/env-source.ts';
import { makeEnv, makeVectorEnv } from '../../../src/env/load-env.ts';
import { findPythonWith, openPython, WORLDS } from './open-python.ts';

function isThere(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

const python = findPythonWith('numpy');
const walk = `python:${WORLDS}#walk`;
const u32 = (...values: number[]) => Uint32Array.from(values);
const RIGHT = Int32Array.of(1, 0); // row 0 to the right, row 1 to the left

/** Positions and step counts; draws stand between them. */
const places = (observations: ArrayLike<number>) => [0, 3].map((k) => [observations[k], observations[k + 2]]);

describe.skipIf(python === null)('an environment in Python', () => {
  const found = python ?? '';

  test('same-step: the row after an end is the new episode, the last observation stands apart', async () => {
    const { env, out, metrics } = await openPython(walk, found, 2);
    env.reset(u32(3, 4), out);
    const first = out.observations[1];
    for (let t = 0; t < 3; t++) env.step(RIGHT, u32(3, 9), out);
    expect([...out.terminated, ...out.truncated]).toEqual([1, 0, 0, 0]);
    expect(places(out.observations)).toEqual([
      [0, 0],
      [-3, 3],
    ]);
    expect(out.observations[1]).toBe(first); // the same seed, the same draw
    expect([out.finalObservations[0], out.finalObservations[2]]).toEqual([3, 3]);
    expect(out.rewards[0]).toBe(Math.fround(out.finalObservations[1] * 2));
    expect(metrics.slice(-6).filter(([, name]) => name !== 'pid')).toEqual([
      [0, 'height', 30],
      [0, 'inner/deep', 0.5],
      [1, 'height', -30],
      [1, 'inner/deep', 0.5],
    ]);
    for (let t = 0; t < 3; t++) env.step(RIGHT, u32(3, 9), out);
    expect([...out.terminated, ...out.truncated]).toEqual([1, 0, 0, 1]);
  });

  test('next-step: the step after an end resets and gives nothing', async () => {
    const { env, out } = await openPython(walk, found, 2, {}, 'next-step');
    env.reset(u32(3, 4), out);
    for (let t = 0; t < 3; t++) env.step(RIGHT, u32(3, 9), out);
    expect(places(out.observations)[0]).toEqual([3, 3]);
    env.step(RIGHT, u32(3, 9), out);
    expect(places(out.observations)).toEqual([
      [0, 0],
      [-4, 4],
    ]);
    expect([out.rewards[0], out.terminated[0]]).toEqual([0, 0]);
    env.step(RIGHT, u32(3, 9), out);
    expect(places(out.observations)[0]).toEqual([1, 1]);
  });

  test('disabled: the caller resets', async () => {
    const { env, out } = await openPython(walk, found, 2, {}, 'disabled');
    env.reset(u32(3, 4), out);
    for (let t = 0; t < 3; t++) env.step(RIGHT, u32(0, 0), out);
    expect(() => env.step(RIGHT, u32(0, 0), out)).toThrow(/has ended/);
    env.resetRows(Uint8Array.of(1, 0), u32(3, 0), out);
    expect(places(out.observations)).toEqual([
      [0, 0],
      [-4, 4],
    ]);
  });

  test('records are flattened in the order of their names, masks come with every step', async () => {
    const { env, out } = await openPython(`python:${WORLDS}#masked`, found, 1);
    expect(env.actionMaskSize).toBe(2);
    env.reset(u32(0), out);
    expect([...out.observations]).toEqual([0.25, 0, 1, 0, 0]);
    expect([...(out.actionMasks ?? [])]).toEqual([1, 1]);
    env.step(Int32Array.of(0), u32(0), out);
    expect([...out.observations]).toEqual([0.25, 0.125, 0, 1, 0]);
    expect([...(out.actionMasks ?? [])]).toEqual([0, 1]);
  });

  test('large observations go through shared memory, the last ones, too', async () => {
    const { env, out } = await openPython(`python:${WORLDS}#pictures`, found, 2);
    env.reset(u32(3, 4), out);
    for (let t = 0; t < 3; t++) env.step(RIGHT, u32(3, 9), out);
    expect(out.finalObservations.subarray(0, 30000).every((value) => value === 33)).toBe(true);
    expect(out.observations.subarray(0, 30000).every((value) => value === 0)).toBe(true);
    expect(out.observations.subarray(30000).every((value) => value === 27)).toBe(true);
  });

  test('to look for an answer before sleeping changes nothing in it', async () => {
    const play = async (pollMicroseconds: number) => {
      const { env, out } = await openPython(walk, found, 2, { pollMicroseconds });
      env.reset(u32(3, 4), out);
      for (let t = 0; t < 600; t++) env.step(RIGHT, u32(3, 9), out);
      return [...out.observations, ...out.finalObservations, ...out.rewards];
    };
    expect(await play(10_000)).toEqual(await play(0));
  });

  test('a single one draws itself', async () => {
    const env = await makeEnv(resolveEnv(walk, { python: found }));
    env.reset({ seed: 1 });
    env.step(6);
    expect(env.render?.('rgb')).toEqual({ width: 3, height: 2, pixels: new Uint8Array(18).fill(1) });
    env.close?.();
  });

  test.each([
    ['throw', 'ENV_STEP_THREW', /ValueError: no third step .*worlds\.py:\d+ in fail/],
    ['nan', 'ENV_REWARD_NON_FINITE', /NaN/],
    ['shape', 'ENV_OBSERVATION_SHAPE', /shape \(3,\), and the observation \(1,\)/],
    ['exit', 'ENV_PYTHON_EXITED', /ended in mid-run/],
    ['hang', 'ENV_PYTHON_HUNG', /stepDeadlineSeconds[\s\S]*worlds\.py/],
  ])('%s: a typed error that says where', async (fault, code, message) => {
    const options = { kwargs: { fault }, stepDeadlineSeconds: 0.4 };
    const { env, out } = await openPython(walk, found, 2, options);
    env.reset(u32(3, 4), out);
    const play = () => {
      for (let t = 0; t < 3; t++) env.step(RIGHT, u32(3, 9), out);
    };
    expect(play).toThrow(expect.objectContaining({ code, message: expect.stringMatching(message) }));
    expect(play).toThrow(expect.objectContaining({ code }));
  });

  test.each<[string, object, string, RegExp]>([
    ['#nothing', {}, 'CONFIG_ENV_EXPORT', /no function `nothing`; it has: .*walk/],
    ['#walk', { kwargs: { colour: 1 } }, 'CONFIG_ENV_FACTORY', /colour/],
    ['#walk', { colour: 1 }, 'CONFIG_ENV_OPTION', /colour/],
    ['#walk', { pollMicroseconds: 20_000 }, 'CONFIG_ENV_OPTION', /pollMicroseconds.*\[0, 10000\]/],
    [
      '#walk',
      { imports: ['no_such_package'] },
      'CONFIG_PYTHON_PACKAGE',
      /operant python install no_such_package/,
    ],
  ])('what cannot be made is refused: %s %j', async (name, options, code, message) => {
    const source = resolveEnv(`python:${WORLDS}${name}`, { python: found, ...options });
    await expect(makeVectorEnv(source, 1)).rejects.toMatchObject({
      code,
      message: expect.stringMatching(message),
    });
  });

  test('the API of old Gym is named', async () => {
    const { env, out } = await openPython(`python:${WORLDS}#old_gym`, found, 1);
    env.reset(u32(1), out);
    expect(() => env.step(Int32Array.of(1), u32(1), out)).toThrow(/truncated, info\), and gave a tuple of 4/);
  });

  const handling = (restartFailedEnvs: EnvFaultHandling['restartFailedEnvs']) => {
    const faults: EnvFault[] = [];
    const onFault = (fault: EnvFault) => void faults.push(fault);
    return { faults, handling: { restartFailedEnvs, nonFinite: 'stop' as const, onFault } };
  };
  const pidIn = (metrics: readonly (readonly [number, string, number])[]) =>
    metrics.findLast(([, name]) => name === 'pid')?.[2] ?? Number.NaN;
  const killedBetween = async (fault: string | null) => {
    const { faults, handling: given } = handling('replay');
    const { env, out, metrics } = await openPython(walk, found, 2, { kwargs: { fault } }, 'same-step', given);
    env.reset(u32(3, 4), out);
    for (let t = 0; t < 4; t++) {
      if (t === 2) process.kill(pidIn(metrics), 'SIGKILL');
      env.step(RIGHT, u32(3, 9), out);
    }
    return { faults, rows: [...out.observations, ...out.rewards, ...out.truncated] };
  };

  test('a killed process is replaced and its episodes are led back, as if nothing had been', async () => {
    const { env, out } = await openPython(walk, found, 2);
    env.reset(u32(3, 4), out);
    for (let t = 0; t < 4; t++) env.step(RIGHT, u32(3, 9), out);
    const expected = [...out.observations, ...out.rewards, ...out.truncated];
    env.close?.();
    const { faults, rows } = await killedBetween(null);
    expect(rows).toEqual(expected);
    expect(faults.map(({ outcome, error }) => [outcome, error.code])).toEqual([
      ['repeated', 'ENV_PYTHON_EXITED'],
    ]);
  });

  test('one that cannot be led back is cut as truncated, and counted', async () => {
    const { faults } = await killedBetween('random');
    expect(faults.map(({ outcome }) => outcome)).toEqual(['new-episode', 'new-episode']);
  });

  test('nothing is left of it when it was closed', async () => {
    const { env, out, metrics } = await openPython(walk, found, 1);
    env.reset(u32(1), out);
    env.step(Int32Array.of(1), u32(1), out);
    const pid = pidIn(metrics);
    expect(process.kill(pid, 0)).toBe(true);
    env.close?.();
    await expect.poll(() => isThere(pid), { timeout: 20_000 }).toBe(false);
  });
});
