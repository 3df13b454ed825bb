/** Environments that answer later: the rollouts of those that answer at once, each row at its own pace, and what becomes of answers that do not come. */
import { describe, expect, it } from 'vitest';
import type { AsyncEnv } from '../../src/env/async-env.ts';
import { factorySource } from '../../src/env/env-source.ts';
import { Box, Discrete } from '../../src/env/spaces.ts';
import { ON_POLICY_COLUMNS } from '../../src/experience/layout.ts';
import { episodeSeed } from '../../src/random/streams.ts';
import { fixture, type GroupOptions, goOn, openGroup, play } from './open-group.ts';

const SIZE = { numEnvs: 5, rolloutLength: 9 };
const BAD = 3;
const faultPolicy = { restartFailedEnvs: 'replay', nonFinite: 'stop' } as const;

const recurrent: Partial<GroupOptions> = {
  policy: { recurrent: 'lstm', recurrentSize: 6, hiddenSizes: [5] },
  columns: { ...ON_POLICY_COLUMNS, sequenceLength: 3 },
};

it.each<[string, number, Partial<GroupOptions>, object]>([
  ['actions', 0, {}, {}],
  ['masked actions', 0, {}, { masks: true }],
  ['masked actions, in threads', 2, {}, { masks: true }],
  ['a recurrent policy', 0, recurrent, {}],
])(
  '%s: the rollouts of the same environment that answers at once',
  async (_, numEnvRunners, given, options) => {
    const synchronous = await openGroup({ ...SIZE, ...given, source: fixture('counting-env', options) });
    const source = fixture('async-counting-env', options);
    const deferred = await openGroup({ ...SIZE, ...given, numEnvRunners, faultPolicy, source });
    expect(await play(deferred, 4)).toEqual(await play(synchronous, 4));
    expect(deferred.group.takeEnvFaults().faults).toEqual([]);
  },
);

it('goes on bit for bit after a resume, in a thread and here, and begins anew where its episodes cannot be led back', async () => {
  const options: GroupOptions = { ...SIZE, source: fixture('async-counting-env') };
  const expected = await play(await openGroup(options), 4);
  const first = await openGroup(options);
  await play(first, 2);
  const states = await first.group.getStates();
  for (const numEnvRunners of [0, 1]) {
    const second = await openGroup({ ...options, numEnvRunners });
    expect(await second.group.start(states)).toEqual([]);
    expect((await goOn(second, 2, 2)).rollouts).toEqual(expected.rollouts.slice(2));
  }
  const elsewhere = await openGroup({
    ...options,
    source: fixture('async-counting-env', { isRepeatable: false }),
  });
  const inMidEpisode = states.flatMap(({ episodeStep }, n) => (episodeStep > 0 ? [n] : []));
  expect(inMidEpisode.length).toBeGreaterThan(0);
  expect(await elsewhere.group.start(states)).toEqual(inMidEpisode);
});

describe('what does not answer', () => {
  it.each([
    ['is rejected', 0, { trouble: 'reject' }, 'the line is dead'],
    ['never comes', 0, { trouble: 'hang', deadlineSeconds: 0.2 }, 'has not answered within 0.2 s'],
    [
      'never comes, in a thread,',
      1,
      { trouble: 'hang', deadlineSeconds: 0.2 },
      'has not answered within 0.2 s',
    ],
  ])('an answer that %s cuts its episode, and no other', async (_, numEnvRunners, trouble, message) => {
    const atSeed = episodeSeed(7, BAD, 1);
    const source = fixture('async-counting-env', { ...trouble, atStep: 2, atSeed });
    const opened = await openGroup({ ...SIZE, numEnvRunners, source, faultPolicy });
    const undisturbed = await play(await openGroup({ ...SIZE, source: fixture('counting-env') }), 1);
    const { rollouts } = await play(opened, 1);
    const { counts, faults } = opened.group.takeEnvFaults();
    expect(counts).toEqual({ repeated: 0, 'new-episode': 1, clipped: 0 });
    expect(faults[0].error.message).toContain(message);
    expect(faults[0].error.place).toMatchObject({ envIndex: BAD, episodeSeed: atSeed, episodeStep: 2 });
    expect(opened.group.takeFailures()).toEqual([]);
    const T = SIZE.rolloutLength;
    const firstLength = 2 + (episodeSeed(7, BAD, 0) % 5);
    const at = BAD * T + firstLength + 1; // the second step of its second episode
    const [rewards, terminated, truncated] = [4, 5, 6].map((column) => rollouts[0][column]);
    expect([rewards[at], terminated[at], truncated[at]]).toEqual([0, 0, 1]);
    for (const [k, column] of rollouts[0].entries()) {
      const size = column.length / SIZE.numEnvs;
      const others = column.filter((_, i) => Math.floor(i / size) !== BAD);
      const expected = undisturbed.rollouts[0][k].filter((_, i) => Math.floor(i / size) !== BAD);
      if (k < 14) expect(others).toEqual(expected);
    }
  });

  it('an answer that is rejected ends the run where nothing is restarted', async () => {
    const source = fixture('async-counting-env', {
      trouble: 'reject',
      atStep: 2,
      atSeed: episodeSeed(7, BAD, 0),
    });
    const { group, publish } = await openGroup({ ...SIZE, source });
    await group.start(null);
    await expect(group.collect(publish())).rejects.toThrow('the line is dead');
  });

  it('a wrong answer ends the run with its own words', async () => {
    const source = fixture('async-counting-env', {
      trouble: 'wrong-shape',
      atSeed: episodeSeed(7, BAD, 0),
    });
    const { group, publish } = await openGroup({ ...SIZE, source, faultPolicy });
    await group.start(null);
    await expect(group.collect(publish())).rejects.toMatchObject({ code: 'ENV_OBSERVATION_SHAPE' });
  });

  it('plays evaluation episodes as the same environment that answers at once', async () => {
    const request = {
      episodes: [0, 1, 2, 3, 4, 5, 6],
      deterministic: false,
      seed: 3,
      numEnvs: 3,
      maxEpisodeSteps: 4,
    };
    const played = [];
    for (const file of ['counting-env', 'async-counting-env']) {
      const { group, publish } = await openGroup({ ...SIZE, source: fixture(file) });
      await group.start(null);
      publish();
      played.push(await group.play(request));
    }
    expect(played[1]).toEqual(played[0]);
    expect(played[0].numCut).toBeGreaterThan(0);
  });
});

it('no row waits for another: one collects its whole rollout while another thinks about its first step', async () => {
  const T = SIZE.rolloutLength;
  let open = () => {};
  const gate = new Promise<void>((resolve) => {
    open = resolve;
  });
  let numMade = 0;
  const factory = (): AsyncEnv => {
    const index = numMade++;
    let numSteps = 0;
    return {
      observationSpace: new Box(-1, 1, [1]),
      actionSpace: new Discrete(2),
      reset: async () => ({ observation: [0] }),
      async step() {
        numSteps += 1;
        if (index === 1) await gate; // the first of them was looked at before the run
        if (index === 2 && numSteps === T) open();
        return { observation: [0], reward: 1, terminated: false, truncated: false };
      },
    };
  };
  const { group, publish } = await openGroup({
    numEnvs: 2,
    rolloutLength: T,
    source: factorySource(factory),
  });
  await group.start(null);
  const { rollout } = await group.collect(publish());
  expect([...rollout.rewards]).toEqual(new Array(2 * T).fill(1));
});

it('no evaluation episode waits for another to begin, where all are cut at the same step', async () => {
  let open = () => {};
  const gate = new Promise<void>((resolve) => {
    open = resolve;
  });
  let isPlaying = false;
  let numSecond = 0;
  const factory = (): AsyncEnv => {
    let numResets = 0;
    return {
      observationSpace: new Box(-1, 1, [1]),
      actionSpace: new Discrete(2),
      async reset() {
        numResets += 1;
        if (isPlaying && numResets === 2) {
          numSecond += 1;
          if (numSecond === 2) open();
          await gate;
        }
        return { observation: [0] };
      },
      step: async () => ({ observation: [0], reward: 1, terminated: false, truncated: false }),
    };
  };
  const { group, publish } = await openGroup({
    numEnvs: 2,
    rolloutLength: 4,
    source: factorySource(factory),
  });
  await group.start(null);
  publish();
  isPlaying = true;
  const request = { episodes: [0, 1, 2, 3], deterministic: true, seed: 3, numEnvs: 2, maxEpisodeSteps: 2 };
  expect(await group.play(request)).toMatchObject({ returns: [2, 2, 2, 2], numCut: 4 });
});

it('close reaches every instance, also one whose answer is still to come', async () => {
  const closed: number[] = [];
  let numMade = 0;
  const factory = (): AsyncEnv => {
    const index = numMade++;
    return {
      observationSpace: new Box(-1, 1, [1]),
      actionSpace: new Discrete(2),
      reset: async () => ({ observation: [0] }),
      step: () => new Promise(() => undefined),
      close: () => void closed.push(index),
    };
  };
  const { group, publish } = await openGroup({
    numEnvs: 2,
    rolloutLength: 4,
    source: factorySource(factory),
  });
  await group.start(null);
  group.collect(publish()).catch(() => undefined);
  await group.stop();
  expect(closed).toEqual([0, 1, 2]);
});
