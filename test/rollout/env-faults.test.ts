/** A single bad environment restarts alone: in threads and in process, with real environments that fail. */
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { EnvFaultPolicy } from '../../src/env/env-faults.ts';
import { episodeSeed } from '../../src/random/streams.ts';
import { temporaryFolder } from '../temporary-folder.ts';
import { fixture, type GroupOptions, goOn, openGroup, type Played, play } from './open-group.ts';

const SIZE = { numEnvs: 9, rolloutLength: 6 };
const BAD = 4;
const COLUMNS = { rewards: 4, terminated: 5, truncated: 6 };

const policy = (
  restartFailedEnvs: EnvFaultPolicy['restartFailedEnvs'],
  nonFinite: EnvFaultPolicy['nonFinite'] = 'stop',
): Pick<GroupOptions, 'faultPolicy'> => ({ faultPolicy: { restartFailedEnvs, nonFinite } });

/** The columns of a rollout without the rows of one environment. */
function withoutRow(columns: number[][], n: number): number[][] {
  return columns.map((column) => {
    const size = column.length / SIZE.numEnvs;
    return column.filter((_, i) => Math.floor(i / size) !== n);
  });
}

const undisturbed = async () => play(await openGroup({ ...SIZE, source: fixture('troubled-env') }), 3);

describe.each([0, 2])('with %i runners', (numEnvRunners) => {
  it.each([
    ['a step', { atStep: 4 }],
    ['a reset', { where: 'reset', atSeed: episodeSeed(7, BAD, 1) }],
  ])('an error in %s that does not come back: the same bits, and no worker is replaced', async (_, when) => {
    const source = fixture('troubled-env', {
      trouble: 'throw',
      ...when,
      marker: join(temporaryFolder(), 'marker'),
      times: 1,
    });
    const opened = await openGroup({ ...SIZE, numEnvRunners, source, ...policy('replay') });
    const played = await play(opened, 3);
    const { counts, faults } = opened.group.takeEnvFaults();
    expect(counts).toEqual({ repeated: 1, 'new-episode': 0, clipped: 0 });
    expect(faults).toMatchObject([
      { outcome: 'repeated', error: { name: 'EnvError', place: { envId: 'troubled-env' } } },
    ]);
    expect(faults[0].error.message).toContain('out of luck');
    expect(opened.group.takeFailures()).toEqual([]);
    expect(opened.group.takeEnvFaults().faults).toEqual([]);
    expect(played).toEqual(await undisturbed());
  });

  it('an error that comes back at the same step ends the rollout where episodes are only replayed', async () => {
    const source = fixture('troubled-env', { trouble: 'throw', atStep: 3, atSeed: episodeSeed(7, BAD, 0) });
    const { group, publish } = await openGroup({ ...SIZE, numEnvRunners, source, ...policy('replay') });
    await group.start(null);
    await expect(group.collect(publish())).rejects.toMatchObject({
      code: 'ENV_STEP_THREW',
      place: { envIndex: BAD, episodeStep: 3 },
    });
  });

  it('more restarts than `maxEnvRestarts` end the rollout with the last error', async () => {
    const source = fixture('troubled-env', { trouble: 'throw', atStep: 2 });
    const opened = await openGroup({
      ...{ ...SIZE, numEnvRunners, source, maxEnvRestarts: 8 },
      ...policy('new-episode'),
    });
    await opened.group.start(null);
    await expect(opened.group.collect(opened.publish())).rejects.toMatchObject({
      code: 'ENV_RESTARTS',
      message: expect.stringMatching(/`maxEnvRestarts` is 8.*out of luck/),
      place: { envId: 'troubled-env' },
    });
  });
});

describe('an error that comes back for ever, with new episodes allowed', () => {
  const source = fixture('troubled-env', { trouble: 'throw', atStep: 3, atSeed: episodeSeed(7, BAD, 0) });
  const run = async (numEnvRunners: number) => {
    const opened = await openGroup({ ...SIZE, numEnvRunners, source, ...policy('new-episode') });
    const played = await play(opened, 3);
    const { counts, faults } = opened.group.takeEnvFaults();
    expect(counts).toEqual({ repeated: 0, 'new-episode': 1, clipped: 0 });
    expect(faults[0].error.place).toMatchObject({ envIndex: BAD, episodeStep: 3 });
    expect(opened.group.takeFailures()).toEqual([]);
    const states = await opened.group.getStates();
    return { played, states, further: await goOn(opened, 3, 2) };
  };

  it('cuts that episode before the step; the other rows are those of the undisturbed run', async () => {
    const { played } = await run(0);
    const expected = await undisturbed();
    const [first] = played.rollouts;
    const at = BAD * SIZE.rolloutLength + 2; // step 3 of the episode
    expect(first[COLUMNS.truncated][at]).toBe(1);
    expect(first[COLUMNS.terminated][at]).toBe(0);
    expect(first[COLUMNS.rewards][at]).toBe(0);
    for (const [k, rollout] of played.rollouts.entries())
      expect(withoutRow(rollout, BAD)).toEqual(withoutRow(expected.rollouts[k], BAD));
    expect(first[COLUMNS.rewards].slice(at - 2, at)).toEqual(
      expected.rollouts[0][COLUMNS.rewards].slice(at - 2, at),
    );
  });

  it('is the same run for any number of workers, and goes on exactly from its states', async () => {
    const inProcess = await run(0);
    for (const numEnvRunners of [1, 2, 3]) expect(await run(numEnvRunners)).toEqual(inProcess);
    const resumed = await openGroup({ ...SIZE, numEnvRunners: 2, source, ...policy('new-episode') });
    expect(await resumed.group.start(inProcess.states)).toEqual([]);
    expect(await resumed.group.getStates()).toEqual(inProcess.states);
    expect(await goOn(resumed, 3, 2)).toEqual(inProcess.further);
  });

  it('also where a reset fails for good: another seed follows from it', async () => {
    const when = { where: 'reset', atSeed: episodeSeed(7, BAD, 0) };
    const broken = fixture('troubled-env', { trouble: 'throw', ...when });
    const runs: Played[] = [];
    for (const numEnvRunners of [0, 2]) {
      const opened = await openGroup({ ...SIZE, numEnvRunners, source: broken, ...policy('new-episode') });
      runs.push(await play(opened, 2));
      expect(opened.group.takeEnvFaults().counts['new-episode']).toBe(1);
      const states = await opened.group.getStates();
      expect(await opened.group.start(states)).toEqual([]);
    }
    expect(runs[1]).toEqual(runs[0]);
  });
});

describe('numbers that are not finite', () => {
  it('`clip`: a reward becomes a finite one, the episode goes on, each is named', async () => {
    const source = fixture('troubled-env', { trouble: 'nan-reward', atStep: 99 });
    const runs = [];
    for (const numEnvRunners of [0, 2]) {
      const opened = await openGroup({ ...SIZE, numEnvRunners, source, ...policy('replay', 'clip') });
      runs.push(await play(opened, 2));
      const { counts, faults } = opened.group.takeEnvFaults();
      expect(counts).toMatchObject({ repeated: 0, 'new-episode': 0 });
      expect(counts.clipped).toBeGreaterThan(8);
      expect(faults[0]).toMatchObject({
        outcome: 'clipped',
        error: { code: 'ENV_REWARD_NON_FINITE', place: { envIndex: 0, episodeStep: 3 } },
      });
    }
    expect(runs[1]).toEqual(runs[0]);
    expect(runs[0].rollouts.flat(2).every(Number.isFinite)).toBe(true);
    expect(runs[0].rollouts[0][COLUMNS.rewards][2]).toBe(0);
  });

  it('`clip`: an observation becomes a finite one', async () => {
    const source = fixture('troubled-env', { trouble: 'nan', atStep: 99 });
    const opened = await openGroup({ ...SIZE, numEnvRunners: 1, source, ...policy('replay', 'clip') });
    const { rollouts } = await play(opened, 2);
    expect(rollouts.flat(2).every(Number.isFinite)).toBe(true);
    expect(rollouts[0][0][3 * 3 + 1]).toBe(0); // row 0, step 3, element 1
    expect(opened.group.takeEnvFaults().faults[0].error.message).toMatch(/got NaN as element 1/);
  });

  it.each([false, true])(
    '`clip`: goes on exactly from such an observation, saves state: %s',
    async (savesState) => {
      const source = fixture('troubled-env', { trouble: 'nan', atStep: 99, savesState });
      const options = { numEnvs: 4, rolloutLength: 3, source, ...policy('replay', 'clip') };
      const unbroken = await openGroup({ ...options, numEnvRunners: 0 });
      await play(unbroken, 1); // to step 3, whose observation has a NaN
      const states = await unbroken.group.getStates();
      const resumed = await openGroup({ ...options, numEnvRunners: 2 });
      expect(await resumed.group.start(states)).toEqual([]);
      expect(await goOn(resumed, 1, 2)).toEqual(await goOn(unbroken, 1, 2));
    },
  );

  it('`skip`: the episode is cut before that step', async () => {
    const source = fixture('troubled-env', { trouble: 'nan-reward', atStep: 99 });
    const opened = await openGroup({ ...SIZE, numEnvRunners: 1, source, ...policy('replay', 'skip') });
    const { rollouts } = await play(opened, 1);
    const { counts } = opened.group.takeEnvFaults();
    expect(counts).toEqual({ repeated: 0, 'new-episode': 2 * SIZE.numEnvs, clipped: 0 });
    expect(rollouts[0][COLUMNS.truncated].slice(0, 6)).toEqual([0, 0, 1, 0, 0, 1]);
    expect(rollouts.flat(2).every(Number.isFinite)).toBe(true);
  });

  it('`stop`: is an error', async () => {
    const source = fixture('troubled-env', { trouble: 'nan-reward', atStep: 99 });
    const { group, publish } = await openGroup({
      ...{ ...SIZE, numEnvRunners: 1, source },
      ...policy('replay', 'stop'),
    });
    await group.start(null);
    await expect(group.collect(publish())).rejects.toMatchObject({ code: 'ENV_REWARD_NON_FINITE' });
  });
});

it('an environment that is not deterministic cannot be brought back: its episode is cut', async () => {
  const marker = join(temporaryFolder(), 'marker');
  const source = fixture('fickle-env', { failOnce: marker });
  const opened = await openGroup({
    ...{ numEnvs: 2, rolloutLength: 8, numEnvRunners: 1, source },
    ...policy('replay'),
  });
  const { rollouts } = await play(opened, 1);
  expect(opened.group.takeEnvFaults().counts).toEqual({ repeated: 0, 'new-episode': 1, clipped: 0 });
  expect(rollouts[0][COLUMNS.truncated].reduce((sum, x) => sum + x)).toBe(1);
});
