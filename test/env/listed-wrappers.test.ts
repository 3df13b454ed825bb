/** A list of wrappers around a vector is the same list around each environment; names and options that are wrong are told. */
import { describe, expect, test } from 'vitest';
import type { Env } from '../../src/env/env.ts';
import { openEnvRandom } from '../../src/env/env-random.ts';
import { resolveEnv } from '../../src/env/env-source.ts';
import { flatActionSize, hasFloatActions } from '../../src/env/flatten-action.ts';
import { makeEnv, makeVectorEnv } from '../../src/env/load-env.ts';
import { Box, Dict, Discrete, type Space } from '../../src/env/spaces.ts';
import { makeStagedEnv } from '../../src/env/staged-env.ts';
import type { ActionArray, StepRows, VectorEnv } from '../../src/env/vector-env.ts';
import { vectorizeEnv } from '../../src/env/vectorize.ts';
import {
  checkWrappers,
  type WrapperEntry,
  wrapListed,
  wrapListedVector,
} from '../../src/env/wrappers/listed-wrappers.ts';
import '../../src/index.ts'; // registers the environments
import { makeRows } from './step-rows.ts';

const NUM_ENVS = 5;
const LIMIT = 23;

/** Walks at random, pushed by its actions, until it is out: episodes of all lengths, some cut by the limit. */
function walk(
  observationSpace: Space,
  actionSpace: Space,
  observe: (place: number, draw: number) => unknown,
) {
  return (): Env => {
    let random = openEnvRandom(0);
    let place = 0;
    let draw = 0;
    const push = (action: unknown) => (typeof action === 'number' ? action - 1 : (action as Float32Array)[0]);
    return {
      observationSpace,
      actionSpace,
      maxEpisodeSteps: LIMIT,
      reset({ seed = 0 } = {}) {
        random = openEnvRandom(seed);
        place = 0;
        draw = random.random();
        return { observation: observe(place, draw) };
      },
      step(action) {
        place = Math.max(-3, Math.min(3, place + 0.4 * push(action) + random.uniform(-0.9, 0.9)));
        draw = random.random();
        const metrics = { place };
        const terminated = Math.abs(place) > 2.2;
        return {
          observation: observe(place, draw),
          reward: Math.fround(place), // what a row holds: sums are then the same, too
          terminated,
          truncated: false,
          info: { metrics },
        };
      },
      getState: () => ({ random: random.getState(), place, draw }),
      setState(state) {
        const saved = state as { random: never; place: number; draw: number };
        random.setState(saved.random);
        ({ place, draw } = saved);
      },
    };
  };
}

const numbers = walk(new Box([-3, 0], [3, 1]), new Box([-1, 0], [1, 10]), (place, draw) => [place, draw]);
const choices = walk(new Box([-3, 0], [3, 1]), new Discrete(3), (place, draw) => [place, draw]);
const parts = walk(
  new Dict({ where: new Box(-3, 3, [1]), what: new Discrete(4, 2), more: new Box(0, 1, [2]) }),
  new Discrete(3),
  (place, draw) => ({ where: [place], what: 2 + Math.floor(4 * draw), more: [draw, 1 - draw] }),
);
const pixels = walk(new Box(0, 255, [2, 4, 3], 'uint8'), new Discrete(3), (place, draw) =>
  Uint8Array.from({ length: 24 }, (_, k) => Math.floor(draw * 255 + 40 * place + 7 * k) & 255),
);

const CASES: readonly [name: string, factory: () => Env, list: WrapperEntry[]][] = [
  ['clipAction', numbers, [{ name: 'clipAction' }]],
  ['rescaleAction', numbers, [{ name: 'rescaleAction', low: -2, high: 1 }]],
  ['discretizeAction', numbers, [{ name: 'discretizeAction', bins: [3, 2] }]],
  ['discretizeAction, apart', numbers, [{ name: 'discretizeAction', bins: 4, multiDiscrete: true }]],
  ['stickyAction', numbers, [{ name: 'stickyAction', probability: 0.5 }]],
  ['stickyAction, default', choices, [{ name: 'stickyAction' }]],
  ['repeatAction', choices, [{ name: 'repeatAction', numSteps: 4 }]],
  ['repeatAction by one', choices, [{ name: 'repeatAction', numSteps: 1 }]],
  ['maxAndSkipObservation', numbers, [{ name: 'maxAndSkipObservation', numSteps: 3 }]],
  ['maxAndSkipObservation of pixels', pixels, [{ name: 'maxAndSkipObservation' }]],
  ['flattenObservation', parts, [{ name: 'flattenObservation' }]],
  ['rescaleObservation', choices, [{ name: 'rescaleObservation', high: 5 }]],
  ['reshapeObservation', pixels, [{ name: 'reshapeObservation', shape: [4, 2, 3] }]],
  [
    'dtypeObservation',
    choices,
    [
      { name: 'rescaleObservation', low: 0, high: 255 },
      { name: 'dtypeObservation', dtype: 'uint8' },
    ],
  ],
  ['filterObservation', parts, [{ name: 'filterObservation', keys: ['where', 'more'] }]],
  ['discretizeObservation', choices, [{ name: 'discretizeObservation', bins: [5, 3] }]],
  [
    'discretizeObservation, apart',
    choices,
    [{ name: 'discretizeObservation', bins: 4, multiDiscrete: true }],
  ],
  ['images', pixels, [{ name: 'grayscaleObservation' }, { name: 'resizeObservation', height: 3, width: 3 }]],
  ['frameStackObservation', choices, [{ name: 'frameStackObservation', numFrames: 3 }]],
  ['frameStackObservation of pixels', pixels, [{ name: 'frameStackObservation', numFrames: 2 }]],
  ['delayObservation', parts, [{ name: 'delayObservation', delay: 2 }]],
  ['timeAwareObservation', parts, [{ name: 'timeAwareObservation' }]],
  ['timeAwareObservation to 9', choices, [{ name: 'timeAwareObservation', limit: 9 }]],
  ['clipReward', choices, [{ name: 'clipReward', low: -0.5, high: 0.25 }]],
  ['timeLimit', choices, [{ name: 'timeLimit', maxEpisodeSteps: 6 }]],
  ['timeLimit over the own one', choices, [{ name: 'timeLimit', maxEpisodeSteps: 600 }]],
  [
    'all together',
    numbers,
    [
      { name: 'rescaleAction' },
      { name: 'stickyAction', probability: 0.3 },
      { name: 'repeatAction', numSteps: 2 },
      { name: 'timeAwareObservation' },
      { name: 'delayObservation', delay: 1 },
      { name: 'frameStackObservation', numFrames: 2 },
      { name: 'clipReward' },
      { name: 'timeLimit', maxEpisodeSteps: 9 },
    ],
  ],
];

interface Told {
  readonly vector: VectorEnv;
  readonly rows: StepRows;
  readonly metrics: [number, string, number][];
}

function open(vector: VectorEnv): Told {
  const metrics: Told['metrics'] = [];
  const rows = makeRows(vector);
  rows.onMetric = (...told) => metrics.push(told);
  return { vector, rows, metrics };
}

const around = (factory: () => Env, list: WrapperEntry[]) => ({
  each: () => open(vectorizeEnv(() => wrapListed(factory(), list), NUM_ENVS)),
  all: () => open(wrapListedVector(vectorizeEnv(factory, NUM_ENVS), list)),
});

const seedsAt = (t: number) => Uint32Array.from({ length: NUM_ENVS }, (_, n) => 1000 * t + n);

function drawActions(space: Space, random: { random(): number }, numRows = NUM_ENVS): ActionArray {
  const A = flatActionSize(space);
  if (hasFloatActions(space))
    return Float32Array.from({ length: numRows * A }, () => random.random() * 3 - 2);
  const counts = space.kind === 'discrete' ? [space.n] : (space as { nvec: readonly number[] }).nvec;
  return Int32Array.from({ length: numRows * A }, (_, k) => Math.floor(random.random() * counts[k % A]));
}

/** All that a step wrote, final observations of those that ended. */
function told({ vector, rows, metrics }: Told) {
  const size = rows.observationStride;
  const ended = [...rows.terminated].map((t, n) => (t | rows.truncated[n]) === 1);
  return {
    observations: [...rows.observations],
    rewards: [...rows.rewards],
    terminated: [...rows.terminated],
    // A limit of whole actions also cuts an episode that terminates within the last of them; it bootstraps nothing either way.
    truncated: [...rows.truncated].map((cut, n) => cut & ~rows.terminated[n]),
    finals: ended.map((is, n) => is && [...rows.finalObservations.subarray(n * size, (n + 1) * size)]),
    metrics: metrics.splice(0),
    frameStack: vector.frameStack,
  };
}

describe.each(CASES)('%s', (_name, factory, list) => {
  const { each, all } = around(factory, list);

  test('around all is as around each', () => {
    const [one, other] = [each(), all()];
    expect(other.vector.observationSpace).toEqual(one.vector.observationSpace);
    expect(other.vector.actionSpace).toEqual(one.vector.actionSpace);
    expect(other.vector.maxEpisodeSteps).toEqual(one.vector.maxEpisodeSteps);
    for (const { vector, rows } of [one, other]) vector.reset(seedsAt(0), rows);
    expect([...other.rows.observations]).toEqual([...one.rows.observations]);
    const random = openEnvRandom(4);
    let numEnds = 0;
    for (let t = 1; t <= 60; t++) {
      const actions = drawActions(one.vector.actionSpace, random);
      for (const { vector, rows } of [one, other]) vector.step(actions, seedsAt(t), rows);
      expect(told(other), `step ${t}`).toEqual(told(one));
      numEnds += one.rows.terminated.filter((ended) => ended === 1).length;
    }
    expect(numEnds).toBeGreaterThan(3);
  });

  test('goes on from a saved state, and from seed and actions', () => {
    const first = all();
    first.vector.reset(seedsAt(0), first.rows);
    const random = openEnvRandom(9);
    const A = flatActionSize(first.vector.actionSpace);
    const taken: ActionArray[] = [];
    // Up to the last step in which no episode has ended yet, two at least.
    for (let t = 1; ; t++) {
      const actions = drawActions(first.vector.actionSpace, random);
      const probe = all();
      probe.vector.reset(seedsAt(0), probe.rows);
      for (const before of [...taken, actions]) probe.vector.step(before, seedsAt(0), probe.rows);
      if ((probe.rows.terminated[0] | probe.rows.truncated[0]) === 1) break;
      taken.push(actions);
      first.vector.step(actions, seedsAt(t), first.rows);
      if (t === 4) break;
    }
    const size = first.rows.observationStride;
    const row = ({ rows }: Told) => [...rows.observations.subarray(0, size)];
    const saved = all();
    saved.vector.reset(seedsAt(7), saved.rows);
    saved.vector.setState?.(0, JSON.parse(JSON.stringify(first.vector.getState?.(0))), saved.rows);
    const led = all();
    led.vector.reset(seedsAt(7), led.rows);
    const own = taken.map((actions) => actions.subarray(0, A));
    const path = hasFloatActions(first.vector.actionSpace)
      ? Float32Array.from(own.flatMap((actions) => [...actions]))
      : Int32Array.from(own.flatMap((actions) => [...actions]));
    expect(led.vector.replay?.(0, 0, path, taken.length, led.rows)).toBe(true);
    expect(row(saved)).toEqual(row(first));
    expect(row(led)).toEqual(row(first));
    if (taken.length > 0) expect(led.vector.lastReward?.(0)).toBeCloseTo(first.rows.rewards[0], 6);
    for (let t = 50; t < 60; t++) {
      const actions = drawActions(first.vector.actionSpace, random);
      for (const { vector, rows } of [first, saved, led]) vector.step(actions, seedsAt(t), rows);
      for (const other of [saved, led]) {
        expect(row(other)).toEqual(row(first));
        expect(other.rows.rewards[0]).toBe(first.rows.rewards[0]);
        expect(other.rows.truncated[0]).toBe(first.rows.truncated[0]);
      }
    }
  });
});

test('a list of a source goes around native environments: the observation of a vector is that of one', async () => {
  const wrappers = checkWrappers([{ name: 'discretizeAction', bins: 5 }, { name: 'timeAwareObservation' }]);
  const source = { ...resolveEnv('Pendulum-v1'), maxEpisodeSteps: 7, wrappers };
  const vector = await makeVectorEnv(source, 2);
  expect(vector.actionSpace).toEqual(new Discrete(5));
  const rows = makeRows(vector);
  vector.reset(Uint32Array.of(3, 4), rows);
  const env = await makeEnv(source);
  expect(env.maxEpisodeSteps).toBe(7);
  expect(env.reset({ seed: 3 }).observation).toEqual((rows.observations as Float32Array).slice(0, 4));
  for (let t = 1; t <= 7; t++) {
    vector.step(Int32Array.of(4, 0), Uint32Array.of(5, 6), rows);
    const { observation } = env.step(4);
    expect((observation as Float32Array)[3]).toBeCloseTo(t / 7, 6);
    if (t < 7) expect(observation).toEqual((rows.observations as Float32Array).slice(0, 4));
    else expect(observation).toEqual((rows.finalObservations as Float32Array).slice(0, 4));
  }
  expect(rows.truncated[0]).toBe(1);
});

test('a list goes around environments whose options change in mid-run', async () => {
  const wrappers = checkWrappers([
    { name: 'repeatAction', numSteps: 3 },
    { name: 'frameStackObservation', numFrames: 2 },
  ]);
  const source = { ...resolveEnv('CartPole-v1'), wrappers };
  const staged = await makeStagedEnv(source, { running: [{}, {}], next: { low: 0.1, high: 0.2 } });
  const rows = makeRows(staged.vectorEnv);
  const plain = await makeVectorEnv(source, 2);
  const changed = await makeVectorEnv({ ...source, options: { low: 0.1, high: 0.2 } }, 2);
  const [plainRows, changedRows] = [makeRows(plain), makeRows(changed)];
  const seeds = Uint32Array.of(1, 2);
  staged.vectorEnv.reset(seeds, rows);
  plain.reset(seeds, plainRows);
  const actions = Int32Array.of(1, 1);
  do {
    staged.vectorEnv.step(actions, seeds, rows);
    plain.step(actions, seeds, plainRows);
    expect(rows.finalObservations.subarray(0, 8)).toEqual(plainRows.finalObservations.subarray(0, 8));
    expect(rows.rewards[0]).toBe(plainRows.rewards[0]);
  } while (rows.terminated[0] === 0);
  expect(staged.optionsOf(0)).toEqual({ low: 0.1, high: 0.2 });
  changed.reset(seeds, changedRows);
  for (let t = 0; t < 3; t++) {
    expect(rows.observations.subarray(0, 8)).toEqual(changedRows.observations.subarray(0, 8));
    staged.vectorEnv.step(actions, seeds, rows);
    changed.step(actions, seeds, changedRows);
  }
});

test('masks come through what does not change actions, and what would break them is refused', async () => {
  const source = { ...resolveEnv('Taxi-v4', { masksActions: true }) };
  const wrappers = checkWrappers([
    { name: 'repeatAction', numSteps: 2 },
    { name: 'frameStackObservation', numFrames: 2 },
  ]);
  const vector = await makeVectorEnv({ ...source, wrappers }, 1);
  const rows = makeRows(vector);
  vector.reset(Uint32Array.of(1), rows);
  const plain = await makeVectorEnv(source, 1);
  const plainRows = makeRows(plain);
  plain.reset(Uint32Array.of(1), plainRows);
  expect(rows.actionMasks).toEqual(plainRows.actionMasks);
  await expect(
    makeVectorEnv({ ...source, wrappers: checkWrappers([{ name: 'stickyAction' }]) }, 1),
  ).rejects.toThrow(/mask may forbid/);
});

test.each([
  [[{ name: 'frameStack', numFrames: 2 }], /Did you mean frameStackObservation\?/],
  [[{ name: 'RescaleAction' }], /Did you mean rescaleAction\?/],
  [[{ name: 'banana' }], /no wrapper has the name "banana"\. There are: clipAction, /],
  [[{}], /wrappers\[0\] to be \{ name, \.\.\.options \}/],
  [[{ name: 'clipAction' }, 'clipAction'], /wrappers\[1\] to be/],
  [[{ name: 'rescaleAction', low: '0' }], /`low` of wrappers\[0\], rescaleAction, to be a number, got "0"/],
  [[{ name: 'rescaleAction', min: 0 }], /has no option `min`\. It has: low, high/],
  [[{ name: 'clipAction', low: 0 }], /has no option `low`\. It has: none/],
  [[{ name: 'frameStackObservation' }], /needs the option `numFrames`/],
  [[{ name: 'normalizeObservation' }], /is the option `normalizeObservations`/],
  [[{ name: 'transformReward' }], /takes a function/],
  [[{ name: '__proto__' }], /no wrapper has the name/],
])('%j is refused', (list, message) => {
  expect(() => checkWrappers(list as never)).toThrowError(
    expect.objectContaining({ code: 'CONFIG_WRAPPER', message: expect.stringMatching(message) }),
  );
});
