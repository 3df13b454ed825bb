import { join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { EnvError, WorkerError } from '../../src/errors.ts';
import { episodeSeed } from '../../src/random/streams.ts';
import { temporaryFolder } from '../temporary-folder.ts';
import { fixture, type GroupOptions, goOn, openGroup, play } from './open-group.ts';

const SIZE = { numEnvs: 9, rolloutLength: 6 };

/** The undisturbed run. */
async function undisturbed(numRollouts: number, options: object = {}) {
  return play(await openGroup({ ...SIZE, source: fixture('troubled-env', options) }), numRollouts);
}

/** Threads that this process has, the main one not counted. */
function numThreads(): number {
  return process.getActiveResourcesInfo().filter((name) => name === 'MessagePort' || name === 'Worker')
    .length;
}

describe('worker threads', () => {
  it('collect the same rollouts, bit for bit, for 0, 1, 2, 3 and 8 of them, however slow each is', async () => {
    const expected = await undisturbed(3);
    expect(expected.rollouts[0]).not.toEqual(expected.rollouts[1]);
    for (const numEnvRunners of [1, 2, 3, 8]) {
      const group = await openGroup({
        ...SIZE,
        numEnvRunners,
        source: fixture('troubled-env', { busyMs: 3 }),
      });
      expect(await play(group, 3)).toEqual(expected);
      await group.group.stop();
    }
  });

  it('give the same states as one thread', async () => {
    const options: GroupOptions = { ...SIZE, source: fixture('troubled-env', { savesState: true }) };
    const inProcess = await openGroup(options);
    const inThreads = await openGroup({ ...options, numEnvRunners: 2 });
    await play(inProcess, 2);
    await play(inThreads, 2);
    expect(await inThreads.group.getStates()).toEqual(await inProcess.group.getStates());
  });

  it('are gone after stop, which can be called twice', async () => {
    const before = numThreads();
    const opened = await openGroup({ ...SIZE, numEnvRunners: 3, source: fixture('troubled-env') });
    await play(opened, 1);
    expect(numThreads()).toBeGreaterThan(before);
    await opened.group.stop();
    await opened.group.stop();
    await vi.waitFor(() => expect(numThreads()).toBeLessThanOrEqual(before), 5000);
  });

  it('outlive a promise that an environment leaves rejected', async () => {
    const expected = await undisturbed(2);
    const opened = await openGroup({
      ...SIZE,
      numEnvRunners: 1,
      source: fixture('troubled-env', { trouble: 'late', atStep: 2 }),
    });
    expect(await play(opened, 2)).toEqual(expected);
    await opened.group.stop(); // the thread hears of it now; nobody else does
  });
});

describe('a lost worker is replaced and its rows are collected again, bit for bit', () => {
  it.each<[string, object, RegExp]>([
    ['throws once in a step', { trouble: 'throw', atStep: 4 }, /out of luck/],
    [
      'throws once in a reset between episodes',
      { trouble: 'throw', where: 'reset', atSeed: episodeSeed(7, 4, 1) },
      /out of luck/,
    ],
    ['exits in a step', { trouble: 'exit', atStep: 4 }, /WORKER_EXITED|ended before/],
    ['hangs in a step', { trouble: 'hang', atStep: 4 }, /did not answer within/],
    ['runs out of memory', { trouble: 'memory', atStep: 4 }, /memory/],
  ])('when it %s', async (_, trouble, message) => {
    const expected = await undisturbed(3);
    const marker = join(temporaryFolder(), 'marker');
    const opened = await openGroup({
      ...SIZE,
      numEnvRunners: 2,
      source: fixture('troubled-env', { ...trouble, marker }),
      deadlineMs: 3000,
      memoryMb: 64,
    });
    const played = await play(opened, 3);
    const failures = opened.group.takeFailures();
    expect(failures).toHaveLength(1);
    expect(failures[0]).toMatchObject({ isRecovered: true, workerIndex: expect.any(Number) });
    expect(failures[0].error).toSatisfy((error) => error instanceof EnvError || error instanceof WorkerError);
    expect(failures[0].error.message).toMatch(message);
    expect(failures[0].seconds).toBeGreaterThan(0);
    expect(opened.group.takeFailures()).toEqual([]);
    expect(opened.group.takeRestarted()).toEqual([]);
    expect(played).toEqual(expected);
  });

  it('several times, in several workers', async () => {
    const expected = await undisturbed(3);
    const marker = join(temporaryFolder(), 'marker');
    const source = fixture('troubled-env', { trouble: 'exit', atStep: 3, marker, times: 4 });
    const opened = await openGroup({ ...SIZE, numEnvRunners: 3, source });
    expect(await play(opened, 3)).toEqual(expected);
    expect(opened.group.takeFailures().length).toBeGreaterThanOrEqual(2); // one thread may die of more than one
  });

  it('also when the replacement dies before it is ready', async () => {
    const expected = await undisturbed(2);
    const marker = join(temporaryFolder(), 'marker');
    const source = fixture('troubled-env', {
      trouble: 'exit',
      atStep: 4,
      marker: `${marker}-exit`,
      more: { trouble: 'throw', where: 'reset', atSeed: episodeSeed(7, 2, 0), marker, spare: 1 },
    });
    const opened = await openGroup({ ...SIZE, numEnvRunners: 1, source });
    expect(await play(opened, 2)).toEqual(expected);
    expect(opened.group.takeFailures()).toHaveLength(1);
  });

  it('after a resume in mid-episode, from the saved states and what was done since', async () => {
    const saves = { savesState: true };
    const expected = await undisturbed(4, saves);
    const first = await openGroup({ ...SIZE, source: fixture('troubled-env', saves) });
    await play(first, 1);
    const states = await first.group.getStates();
    expect(states.some((state) => state.episodeStep > 3)).toBe(true);
    const marker = join(temporaryFolder(), 'marker');
    const source = fixture('troubled-env', { ...saves, trouble: 'exit', atStep: 13, marker });
    const second = await openGroup({ ...SIZE, numEnvRunners: 2, source });
    expect(await second.group.start(states)).toEqual([]);
    const played = await goOn(second, 1, 3);
    expect(second.group.takeFailures()).toHaveLength(1);
    expect(second.group.takeRestarted()).toEqual([]);
    expect(played.rollouts).toEqual(expected.rollouts.slice(1));
  });

  it('but an environment that is not deterministic begins its episode again, which is reported', async () => {
    const opened = await openGroup({
      numEnvs: 2,
      rolloutLength: 5,
      numEnvRunners: 1,
      source: fixture('fickle-env'),
    });
    const { group, publish } = opened;
    await group.start(null);
    await group.collect(publish());
    const states = await group.getStates();
    await group.start(states); // the threads go on: what `setState` of a running algorithm does
    expect(group.takeRestarted()).toEqual([0, 1]);
    expect((await group.getStates()).map((state) => state.episodeStep)).toEqual([0, 0]);
  });
});

describe('a worker that cannot start', () => {
  it.each([
    ['its environment throws once when it is made', { trouble: 'throw', where: 'constructor' }],
    ['its environment exits once in a reset', { trouble: 'exit', where: 'reset' }],
  ])('gets a second chance: %s', async (_, trouble) => {
    const expected = await undisturbed(1);
    const marker = join(temporaryFolder(), 'marker');
    const source = fixture('troubled-env', { ...trouble, marker });
    const opened = await openGroup({ ...SIZE, numEnvRunners: 2, source });
    expect(await play(opened, 1)).toEqual(expected);
    expect(opened.group.takeFailures()).toMatchObject([{ isRecovered: true }]);
  });
});

describe('what cannot be mended', () => {
  it.each([0, 2])(
    'an environment that always throws ends the rollout with its own error: %i runners',
    async (numEnvRunners) => {
      const source = fixture('troubled-env', { trouble: 'throw', atStep: 2, atSeed: episodeSeed(7, 6, 0) });
      const { group, publish } = await openGroup({ ...SIZE, numEnvRunners, source });
      await group.start(null);
      const error = await group.collect(publish()).catch((reason) => reason);
      expect(error).toBeInstanceOf(EnvError);
      expect(error).toMatchObject({
        code: 'ENV_STEP_THREW',
        place: { envId: 'troubled-env', envIndex: 6, episodeSeed: episodeSeed(7, 6, 0), episodeStep: 2 },
      });
      expect(error.message).toContain('out of luck');
      expect(error.message).toContain(`episode seed ${episodeSeed(7, 6, 0)}, step 2`);
      await group.stop();
    },
  );

  it.each([
    [
      'reset',
      { where: 'reset', atSeed: episodeSeed(7, 3, 0) },
      'ENV_RESET_THREW',
      { envIndex: 3, episodeStep: 0 },
    ],
    ['its constructor', { where: 'constructor' }, 'CONFIG_ENV_FACTORY', undefined],
  ])('an environment that throws in %s fails at the start', async (_, where, code, place) => {
    for (const numEnvRunners of [0, 2]) {
      const before = numThreads();
      const source = fixture('troubled-env', { trouble: 'throw', ...where });
      const { group } = await openGroup({ ...SIZE, numEnvRunners, source });
      const error = await group.start(null).catch((reason) => reason);
      expect(error).toMatchObject({ code });
      expect(error.message).toContain('out of luck');
      if (place !== undefined) expect(error.place).toMatchObject({ envId: 'troubled-env', ...place });
      await group.stop();
      await vi.waitFor(() => expect(numThreads()).toBeLessThanOrEqual(before), 5000);
    }
  });

  it.each([
    ['nan', 'ENV_OBSERVATION_NON_FINITE'],
    ['nan-reward', 'ENV_REWARD_NON_FINITE'],
    ['throw-text', 'ENV_STEP_THREW'],
  ])('%s is named with its place', async (trouble, code) => {
    const source = fixture('troubled-env', { trouble, atStep: 3 });
    const { group, publish } = await openGroup({ ...SIZE, numEnvRunners: 1, source });
    await group.start(null);
    const error = await group.collect(publish()).catch((reason) => reason);
    expect(error).toMatchObject({
      code,
      place: { envIndex: 0, episodeSeed: episodeSeed(7, 0, 0), episodeStep: 3 },
    });
  });

  it('a worker that dies again and again stops the run when the restarts are used up', async () => {
    const marker = join(temporaryFolder(), 'marker');
    const source = fixture('troubled-env', { trouble: 'exit', atStep: 2, marker, times: 100 });
    const { group, publish } = await openGroup({ ...SIZE, numEnvRunners: 1, source, maxRestarts: 2 });
    await group.start(null);
    await expect(group.collect(publish())).rejects.toMatchObject({
      name: 'WorkerError',
      code: 'WORKER_EXITED',
      workerIndex: 0,
    });
    expect(group.takeFailures()).toHaveLength(2);
    expect(group.isCollecting).toBe(true);
    // What was before the rollout can still be saved.
    expect((await group.getStates()).map((state) => state.episodeStep)).toEqual(new Array(9).fill(0));
    await group.stop();
  });

  it('restarts count within their window only', async () => {
    const marker = join(temporaryFolder(), 'marker');
    const source = fixture('troubled-env', { trouble: 'exit', atStep: 2, marker, times: 3 });
    const options = { ...SIZE, numEnvRunners: 1, source, maxRestarts: 1 };
    const opened = await openGroup({ ...options, restartWindowMs: 1 });
    await play(opened, 1);
    expect(opened.group.takeFailures()).toHaveLength(3);
  });
});

describe('the deadline', () => {
  it('is about progress: a slow environment is not a dead one', async () => {
    // 30 steps of 2 environments at 20 ms: four times the deadline in all.
    const options = { numEnvs: 2, rolloutLength: 30, source: fixture('troubled-env', { stepMs: 20 }) };
    const opened = await openGroup({ ...options, numEnvRunners: 1, deadlineMs: 400 });
    const begin = performance.now();
    await play(opened, 1);
    expect(performance.now() - begin).toBeGreaterThan(1200);
    expect(opened.group.takeFailures()).toEqual([]);
  });

  it('names the option when a worker hangs and no restart is left', async () => {
    const source = fixture('troubled-env', { trouble: 'hang', atStep: 2 });
    const { group, publish } = await openGroup({
      ...SIZE,
      numEnvRunners: 2,
      source,
      maxRestarts: 0,
      deadlineMs: 500,
    });
    onTestFinished(() => group.stop());
    await group.start(null);
    const error = await group.collect(publish()).catch((reason) => reason);
    expect(error).toMatchObject({ name: 'WorkerError', code: 'WORKER_HUNG' });
    expect(error.message).toMatch(/workerDeadlineSeconds/);
  });
});
