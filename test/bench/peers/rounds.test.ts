/** What runs in which kind of round, how results are kept, and how a profile is added up. */
import { cpus } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ppoOptions } from '../../../algorithms/ppo/config.ts';
import { tunedPhysics } from '../../../algorithms/ppo/tuned-physics.ts';
import { aggregate, type CpuProfile } from '../../../bench/peers/costs.ts';
import { type Entry, entriesFor, shorten } from '../../../bench/peers/entries.ts';
import { changeResults, keepRecord, type RunRecord, readResults } from '../../../bench/peers/results.ts';
import { HALF_CHEETAH_ZOO, LUNAR_LANDER_ZOO } from '../../../bench/peers/settings.ts';
import { WORKLOADS } from '../../../bench/peers/workloads.ts';
import type { JsonObject } from '../../../src/json.ts';
import { temporaryFolder } from '../../temporary-folder.ts';

const roundOf = (workload: number) => WORKLOADS.find(({ id }) => id === workload)?.round(0) ?? [];

test('learning rounds are those that are evaluated, and have time', () => {
  const learning = entriesFor('learning', roundOf(1));
  expect(learning.map(({ contestant }) => contestant)).toEqual(['operant', 'sb3', 'sbx']);
  for (const { task, limitSeconds } of learning) {
    expect(task).toMatchObject({ kind: 'train', evaluate: true, steps: 100_000 });
    expect(limitSeconds).toBeGreaterThanOrEqual(9000);
  }
  expect(entriesFor('learning', roundOf(5))).toEqual([]);
});

test('timing rounds stop long runs as soon as their speed is known, and do not evaluate those', () => {
  const timing = entriesFor('timing', roundOf(2));
  expect(timing.map(({ contestant, task }) => [contestant, 'evaluate' in task && task.evaluate])).toEqual([
    ['operant', true],
    ['cleanrl', false],
  ]);
  expect(timing[1].task).toMatchObject({ limitSeconds: 30 });
});

test('a round of any seed has what a round of the first has: whoever takes part does so as often as is asked', () => {
  for (const { id, round } of WORKLOADS) {
    const names = (seed: number) => round(seed).map(({ contestant, variant }) => `${contestant} ${variant}`);
    expect(names(7), `workload ${id}`).toEqual(names(0));
    for (const { task } of round(7)) expect(task, `workload ${id}`).toMatchObject({ seed: 7 });
  }
});

const namesOf = (workload: number) =>
  roundOf(workload).map(({ contestant, variant }) => `${contestant} ${variant}`.trim());

test('off-policy rounds have everyone on all cores and on one, and returns of the first alone', () => {
  const round = roundOf(11);
  const both = (name: string) => [`${name} all cores`, `${name} one core`];
  expect(namesOf(10)).toEqual(['operant', 'sb3', 'sbx', 'jax-dqn'].flatMap(both));
  expect(namesOf(11)).toEqual(['operant', 'sb3', 'sbx'].flatMap(both));
  for (const workload of [12, 14])
    expect(namesOf(workload)).toEqual([
      ...[...both('operant'), 'rltools-1', 'rltools-all'],
      ...['sb3', 'sbx'].flatMap(both),
    ]);
  expect(round.map(({ isOneCore = false }) => isOneCore)).toEqual([false, true, false, true, false, true]);
  expect(entriesFor('learning', round).map(({ variant }) => variant)).toEqual(Array(3).fill('all cores'));
  const [ours, , theirs] = entriesFor('timing', round);
  expect(ours.task).toMatchObject({ kind: 'off-policy', evaluate: false, steps: 20_000, limitSeconds: 30 });
  expect(theirs.task).toMatchObject({ evaluate: false, limitSeconds: 20 });
  expect(shorten(theirs).task).toMatchObject({ kind: 'off-policy', steps: 2000 });
});

test("APPO's rounds have both lags of ours; who takes long to start is cut in timing rounds, and everyone is evaluated in learning rounds", () => {
  const round = roundOf(20);
  expect(namesOf(20)).toEqual(['operant lag 1', 'operant lag free', 'sample-factory', 'rllib']);
  expect(round.map(({ task }) => task.kind === 'appo' && task.lag)).toEqual([1, 'free', 'free', 'free']);
  const told = (entries: readonly Entry[]) =>
    entries.map(({ task }) => task.kind === 'appo' && [task.evaluate, task.limitSeconds]);
  const whole = [true, undefined];
  expect(told(entriesFor('timing', round))).toEqual([whole, whole, [false, 45], [false, 45]]);
  expect(told(entriesFor('learning', round))).toEqual(Array(4).fill([true, 9000]));
  expect(shorten(round[3]).task).toMatchObject({ kind: 'appo', steps: 10_000, limitSeconds: 60 });
});

test('physics is timed with one and with several threads of theirs, and learnt once; our LunarLander goes to its end', () => {
  const told = (purpose: 'timing' | 'learning', workload: number) =>
    entriesFor(purpose, roundOf(workload)).map(({ contestant, variant, task }) =>
      [contestant, variant, task.kind === 'train' && task.limitSeconds].join(' '),
    );
  const theirs = ['sb3-physics one thread 45', 'sb3-physics a thread a core 45'];
  expect(told('timing', 21)).toEqual(['operant  ', ...theirs]);
  expect(told('timing', 22)).toEqual(['operant  45', ...theirs]);
  expect(told('learning', 22)).toEqual(['operant  36000', 'sb3-physics one thread 36000']);
  expect(roundOf(22).map(({ numThreads }) => numThreads)).toEqual([undefined, 1, cpus().length]);
});

test("PPO's settings in workloads 21 and 22 are those of our learning table", () => {
  for (const settings of [LUNAR_LANDER_ZOO, HALF_CHEETAH_ZOO]) {
    const { env, numEnvs, rolloutLength, normalized, learningRate, clipRange, ...rest } = settings;
    const { envRunners, training } = tunedPhysics[env] as Readonly<Record<string, JsonObject>>;
    const scaled = normalized === true && { normalizeObservations: true, normalizeRewards: true };
    expect({ numEnvs, rolloutLength, ...scaled }, env).toEqual(envRunners);
    const given = { ...rest, learningRate: learningRate.from, clipRange: clipRange.from };
    const options: Readonly<Record<string, { readonly default: unknown }>> = ppoOptions.training;
    const ours = Object.keys(given).map((name) => [name, training[name] ?? options[name].default]);
    expect(given, env).toEqual(Object.fromEntries(ours));
    expect(Object.keys(given), env).toEqual(expect.arrayContaining(Object.keys(training)));
  }
});

test('a record replaces the one of the same run, and stands beside one of another purpose', () => {
  const path = join(temporaryFolder(), 'peers.json');
  const record: RunRecord = {
    ...{ workload: 1, contestant: 'sb3', variant: '', seed: 0, purpose: 'timing', commit: 'a', cpu: 'b' },
    ...{ load: 0, wallSeconds: 1, answer: { seconds: 1 } },
  };
  const keep = (added: RunRecord) => changeResults(path, (results) => keepRecord(results, added));
  keep(record);
  keep({ ...record, purpose: 'learning' });
  keep({ ...record, answer: { seconds: 2 } });
  const kept = readResults(path).records;
  expect(kept.map(({ purpose, answer }) => [purpose, answer.seconds])).toEqual([
    ['learning', 1],
    ['timing', 2],
  ]);
});

test('a profile is added up by category; what comes before the start of training is start-up', () => {
  const frame = (id: number, functionName: string, url: string) => ({ id, callFrame: { functionName, url } });
  const profile: CpuProfile = {
    nodes: [
      frame(1, 'load', 'node:internal/modules'),
      frame(2, 'wasm-function[22]', 'wasm://wasm/0'),
      frame(3, '(idle)', ''),
      frame(4, 'openPhase', 'file:///x/dist/src/learner/simd/control.js'),
      frame(5, 'runEpoch', 'file:///x/dist/src/learner/simd/learner.js'),
    ],
    samples: [1, 3, 2, 3, 4, 2, 5],
    timeDeltas: [2e5, 1e5, 4e5, 1e5, 1e5, 2e5, 5e4],
  };
  const { seconds, costs } = aggregate(profile, 0.35);
  expect(seconds).toBeCloseTo(1.15);
  expect(
    Object.fromEntries(costs.map(({ category, seconds: of }) => [category, Number(of.toFixed(2))])),
  ).toEqual({
    kernels: 0.6,
    'start-up': 0.3,
    'waiting for the workers to sample': 0.1,
    'opening phases and waking the other thread': 0.1,
    "the learner's bookkeeping": 0.05,
  });
  expect(costs[0].category).toBe('kernels');
});
