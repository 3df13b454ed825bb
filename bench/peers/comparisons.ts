/** Ours against theirs, figure by figure: where we are ahead, where a peer is, and whether the aims are met. */
import { median } from '../statistics.ts';
import type { ContestantName } from './contestants.ts';
import {
  batchUs,
  cpuSeconds,
  groupName,
  type Measure,
  peakMib,
  reachedSeconds,
  ready,
  seconds,
  singleUs,
  solvedSeconds,
  spread,
  stepsPerCpuSecond,
  stepsPerSecond,
  timed,
  updateMs,
  valuesOf,
  wall,
  wholeWall,
} from './measures.ts';
import type { Results, RunRecord } from './results.ts';

export interface Comparison {
  readonly workload: number;
  readonly what: string;
  readonly ours: string;
  readonly theirs: string;
  readonly contestant: ContestantName;
  /** How many times better ours is, seed by seed; below 1 they are ahead. */
  readonly ratios: readonly number[];
}

interface Kind {
  readonly what: string;
  readonly measure: Measure;
  readonly isMoreBetter: boolean;
}

const SPEED: Kind = { what: 'steps/s', measure: stepsPerSecond, isMoreBetter: true };
const CPU_SPEED: Kind = {
  what: 'steps per processor second',
  measure: stepsPerCpuSecond,
  isMoreBetter: true,
};
const less = (what: string, measure: Measure): Kind => ({ what, measure, isMoreBetter: false });
const CPU_TIME = less('processor time', cpuSeconds);
const WHOLE = less('wall clock of all steps', wholeWall);

const KINDS: { readonly [workload: number]: readonly Kind[] } = {
  1: [SPEED],
  2: [SPEED],
  3: [SPEED, CPU_SPEED],
  4: [less('time to a training mean of 450', reachedSeconds)],
  5: [less('time to solve', solvedSeconds)],
  6: [
    less('process start to ready', ready),
    less('process start to the end of the first iteration', wall),
    less('peak memory', peakMib),
  ],
  7: [less('time of an update', updateMs)],
  8: [less('one observation', singleUs), less('64 observations', batchUs)],
  9: [SPEED],
  10: [SPEED, CPU_SPEED],
  11: [SPEED, CPU_SPEED],
  12: [SPEED, CPU_SPEED],
  14: [SPEED, CPU_SPEED],
  15: [SPEED, CPU_SPEED],
  16: [SPEED, CPU_SPEED],
  17: [SPEED, CPU_SPEED],
  18: [SPEED, CPU_SPEED],
  19: [less('time', seconds), CPU_TIME],
  20: [SPEED, CPU_SPEED],
  21: [SPEED, CPU_SPEED, WHOLE],
  22: [SPEED, CPU_SPEED, WHOLE],
};

/** Variants of ours that a peer's run is held against. */
function counterparts({ workload, contestant, variant }: RunRecord): readonly string[] {
  if (workload === 3) return contestant === 'rltools-1' ? ['one core', 'all cores'] : ['all cores'];
  if (workload === 19) return ['a study', 'the commands from a bare pool'];
  if (workload === 20) return ['lag 1', 'lag free'];
  if (workload > 20) return [''];
  if (workload >= 10) {
    const isOneCore = contestant === 'rltools-1' || variant === 'one core';
    return isOneCore ? ['one core', 'all cores'] : ['all cores'];
  }
  if (workload === 7) return [variant.replace(/, (eager|torch\.compile)$/, '')];
  return workload === 8 ? [''] : [variant];
}

export function compare(records: readonly RunRecord[]): readonly Comparison[] {
  const counted = timed(records);
  const isOurs = ({ contestant }: RunRecord) => contestant === 'operant';
  const found = new Map<string, { comparison: Omit<Comparison, 'ratios'>; ratios: number[] }>();
  for (const record of counted.filter((other) => !isOurs(other)))
    for (const { what, measure, isMoreBetter } of KINDS[record.workload] ?? [])
      for (const variant of counterparts(record)) {
        const { workload, seed, contestant } = record;
        const own = counted.find(
          (other) =>
            isOurs(other) && other.workload === workload && other.variant === variant && other.seed === seed,
        );
        const [ours, theirs] = [own && measure(own), measure(record)];
        if (own === undefined || ours === undefined || theirs === undefined) continue;
        const comparison = { workload, what, ours: groupName(own), theirs: groupName(record), contestant };
        const key = JSON.stringify(comparison);
        const entry = found.get(key) ?? { comparison, ratios: [] };
        entry.ratios.push(isMoreBetter ? ours / theirs : theirs / ours);
        found.set(key, entry);
      }
  return [...found.values()].map(({ comparison, ratios }) => ({ ...comparison, ratios }));
}

/** Where a peer is ahead in the median, and by how much. */
export function peersAhead(comparisons: readonly Comparison[]): readonly string[] {
  return comparisons
    .filter(({ ratios }) => median(ratios) < 1)
    .map(({ workload, what, ours, theirs, ratios }) => {
      const times = spread(ratios.map((ratio) => 1 / ratio));
      return `Workload ${workload}, ${what}: ${theirs} is ahead of ${ours}, by ${times} times.`;
    });
}

export interface Verdict {
  readonly workload: number;
  readonly aim: string;
  readonly found: string;
  /** null = not measured. */
  readonly isMet: boolean | null;
}

interface Aim {
  readonly workload: number;
  readonly aim: string;
  /** The values whose median is held against the bound. */
  readonly values: (comparisons: readonly Comparison[], records: readonly RunRecord[]) => readonly number[];
  readonly bound: number;
  readonly isAtLeast: boolean;
}

const ratiosOf =
  (workload: number, contestant: ContestantName, ours?: string) =>
  (comparisons: readonly Comparison[]): readonly number[] =>
    comparisons
      .filter((found) => found.workload === workload && found.contestant === contestant)
      .filter(({ what }) => what !== CPU_SPEED.what && what !== CPU_TIME.what)
      .filter((found) => ours === undefined || found.ours.endsWith(ours))
      .flatMap(({ ratios }) => ratios);

const byProcessor =
  (workload: number, contestant: ContestantName) =>
  (comparisons: readonly Comparison[]): readonly number[] =>
    comparisons
      .filter((found) => found.workload === workload && found.contestant === contestant)
      .filter(({ what }) => what === CPU_SPEED.what)
      .flatMap(({ ratios }) => ratios);

/** Of these contestants and all of their variants the one that is least behind: who has two cores may be faster on one. */
const closestOf =
  (workload: number, contestants: readonly ContestantName[], ours = 'all cores') =>
  (comparisons: readonly Comparison[]): readonly number[] =>
    comparisons
      .filter((found) => found.workload === workload && contestants.includes(found.contestant))
      .filter(({ what, ours: name }) => what === SPEED.what && name.endsWith(ours))
      .map(({ ratios }) => ratios)
      .toSorted((a, b) => median(a) - median(b))[0] ?? [];

/** The worst median against any of these. */
const worstOf =
  (workload: number, contestants: readonly ContestantName[]) =>
  (comparisons: readonly Comparison[]): readonly number[] => {
    const medians = comparisons
      .filter((found) => found.workload === workload && contestants.includes(found.contestant))
      .map(({ ratios }) => median(ratios));
    return medians.length === 0 ? [] : [Math.min(...medians)];
  };

const ownValues =
  (workload: number, measure: Measure, variant: string | null = null) =>
  (_: readonly Comparison[], records: readonly RunRecord[]): readonly number[] =>
    valuesOf(
      records.filter(
        (record) =>
          record.workload === workload &&
          record.contestant === 'operant' &&
          (variant === null || record.variant === variant),
      ),
      measure,
    );

const grown: Measure = ({ answer: { residentMib } }) =>
  residentMib === undefined ? undefined : (residentMib.at(-1) ?? 0) - residentMib[0];

/** A seed that was not solved takes for ever, where leaving it out would count for us. */
const solvedOrNever: Measure = (record) =>
  record.answer.solved === false ? Infinity : solvedSeconds(record);

/** Seed by seed. */
function studyOverPool(_: readonly Comparison[], records: readonly RunRecord[]): readonly number[] {
  const own = records.filter(({ workload, contestant }) => workload === 19 && contestant === 'operant');
  return own.flatMap((study) => {
    const pool = own.find(({ seed, variant }) => seed === study.seed && variant.endsWith('bare pool'));
    const [ours, theirs] = [seconds(study), pool && seconds(pool)];
    return study.variant !== 'a study' || ours === undefined || theirs === undefined ? [] : [ours / theirs];
  });
}

const atLeast = (workload: number, aim: string, bound: number, values: Aim['values']): Aim => ({
  ...{ workload, aim, bound, values },
  isAtLeast: true,
});
const atMost = (workload: number, aim: string, bound: number, values: Aim['values']): Aim => ({
  ...{ workload, aim, bound, values },
  isAtLeast: false,
});

const AIMS: readonly Aim[] = [
  atLeast(1, "at least 15 times Stable-Baselines3's steps/s", 15, ratiosOf(1, 'sb3')),
  atLeast(2, "at least 30 times the steps/s of CleanRL's settings in PyTorch", 30, ratiosOf(2, 'cleanrl')),
  atLeast(3, 'within 2 times of RLtools, one core each', 0.5, ratiosOf(3, 'rltools-1', 'one core')),
  atLeast(3, 'on all cores level with RLtools on one', 1, ratiosOf(3, 'rltools-1', 'all cores')),
  atLeast(3, 'ahead of every Python library', 1, worstOf(3, ['sb3', 'sbx', 'rllib'])),
  atMost(5, 'at most 3 s', 3, ownValues(5, solvedOrNever)),
  atMost(6, 'ready to train within 0.7 s', 0.7, ownValues(6, ready, 'start-up')),
  atMost(6, 'less than 250 MiB at its peak', 250, ownValues(6, peakMib)),
  atMost(6, 'less than 5 MiB more at 20 million steps than at 5', 5, ownValues(6, grown)),
  atLeast(7, 'no update slower than in PyTorch, eager or compiled', 1, worstOf(7, ['torch'])),
  atLeast(8, 'no slower than PyTorch', 1, worstOf(8, ['torch'])),
  atLeast(10, "at least 6 times Stable-Baselines3's steps/s", 6, closestOf(10, ['sb3'])),
  atLeast(10, 'ahead of SBX', 1, closestOf(10, ['sbx'])),
  atLeast(10, "ahead of CleanRL's DQN in JAX", 1, closestOf(10, ['jax-dqn'])),
  atLeast(11, "at least 3 times Stable-Baselines3's steps/s", 3, closestOf(11, ['sb3'])),
  atLeast(11, "at least 2 times SBX's steps/s", 2, closestOf(11, ['sbx'])),
  ...[12, 14].flatMap((workload) => [
    atLeast(
      workload,
      'within 1.3 times of RLtools, one core each',
      1 / 1.3,
      closestOf(workload, ['rltools-1'], 'one core'),
    ),
    atLeast(workload, 'on all cores ahead of RLtools', 1, closestOf(workload, ['rltools-1', 'rltools-all'])),
  ]),
  atMost(13, 'at most 4 s', 4, ownValues(13, solvedOrNever)),
  // Of the clock, as everywhere here. By processor time besides: with more processes than cores a peer of several processes waits longer than we do, or less.
  ...[16, 17, 18].flatMap((workload) => [
    atLeast(workload, "at least 100 times RLlib's steps/s", 100, ratiosOf(workload, 'rllib-agents')),
    atLeast(
      workload,
      "at least 100 times RLlib's steps per processor second",
      100,
      byProcessor(workload, 'rllib-agents'),
    ),
  ]),
  atMost(19, 'a study takes at most 1.3 times what its commands take from a bare pool', 1.3, studyOverPool),
  atLeast(19, 'ahead of Ray Tune', 1, ratiosOf(19, 'ray-tune', 'a study')),
  atLeast(15, 'ahead of RLtools, one core each', 1, ratiosOf(15, 'rltools-1', 'one core')),
  atLeast(15, 'on all cores 1.6 times RLtools on one', 1.6, ratiosOf(15, 'rltools-1', 'all cores')),
];

export function judge({ records }: Results): readonly Verdict[] {
  const comparisons = compare(records);
  const usable = [...timed(records), ...records.filter(({ answer }) => answer.residentMib !== undefined)];
  return AIMS.map(({ workload, aim, values, bound, isAtLeast }) => {
    const found = values(comparisons, usable);
    if (found.length === 0) return { workload, aim, found: 'not measured', isMet: null };
    const middle = median(found);
    return { workload, aim, found: spread(found), isMet: isAtLeast ? middle >= bound : middle <= bound };
  });
}
