/** One table per workload. */
import { differenceInterval, mean, meanInterval } from '../statistics.ts';
import { compare } from './comparisons.ts';
import {
  cpuSeconds,
  groups,
  interval,
  type Measure,
  markdownTable,
  peakMib,
  reachedSeconds,
  ready,
  returnsOf,
  seconds,
  solvedSeconds,
  spread,
  stepsPerCpuSecond,
  stepsPerSecond,
  timed,
  valuesOf,
  wall,
  wholeWallCell,
} from './measures.ts';
import type { RunRecord } from './results.ts';

type Table = (records: readonly RunRecord[]) => string;

/** Mean with its interval, the difference from ours with its own, and the number of seeds. */
function returnCells(group: readonly RunRecord[], ours: readonly RunRecord[]): readonly string[] {
  const [returns, own] = [returnsOf(group), returnsOf(ours)];
  const isComparable = group[0].contestant !== 'operant' && returns.length > 1 && own.length > 1;
  return [
    returns.length === 0 ? '-' : `${mean(returns).toFixed(1)} ${interval(meanInterval(returns))}`,
    isComparable ? interval(differenceInterval(own, returns)) : '',
    String(returns.length),
  ];
}

const oursAmong = (grouped: ReadonlyMap<string, readonly RunRecord[]>): readonly RunRecord[] =>
  [...grouped.values()].find(([{ contestant }]) => contestant === 'operant') ?? [];

const errorOf = (group: readonly RunRecord[]): string | undefined =>
  group.every(({ answer }) => answer.error !== undefined) ? group[0]?.answer.error : undefined;

/** Ours over theirs; where ours has several variants, each by its name. */
function ratioCell(records: readonly RunRecord[], name: string, what: string): string {
  const found = compare(records).filter((other) => other.theirs === name && other.what === what);
  if (found.length === 1) return spread(found[0].ratios);
  return found.map(({ ours, ratios }) => `${spread(ratios)} (${ours.replace(/^.*?, /, '')})`).join('; ');
}

const BY_PROCESSOR = ['steps per processor second', 'ours over theirs, by processor time'];

const processorCells = (
  records: readonly RunRecord[],
  name: string,
  group: readonly RunRecord[],
): readonly string[] => [
  spread(valuesOf(timed(group), stepsPerCpuSecond)),
  ratioCell(records, name, 'steps per processor second'),
];

/** Workloads 3, 10 to 12, 14 and 15: as 1 and 2, and by processor time, which other users of the machine change less. */
const processorTable: Table = (records) =>
  trainingRows(records, BY_PROCESSOR, (name, group) => processorCells(records, name, group));

/** Workload 20: as those, and what a contestant says of its run. */
const asynchronousTable: Table = (records) =>
  trainingRows(records, [...BY_PROCESSOR, ''], (name, group) => [
    ...processorCells(records, name, group),
    group.findLast(({ answer }) => answer.note !== undefined)?.answer.note ?? '',
  ]);

/** Workloads 21 and 22: as those, and the wall clock of all steps, which long runs are projected to. */
const physicsTable: Table = (records) =>
  trainingRows(
    records,
    [...BY_PROCESSOR, 'wall clock of all steps, s', 'theirs over ours, wall clock'],
    (name, group) => [
      ...processorCells(records, name, group),
      wholeWallCell(timed(group)),
      ratioCell(records, name, 'wall clock of all steps'),
    ],
  );

/** Workloads 1 and 2: steps/s, seconds, ratio, and whether the learning is the same. */
const trainingTable: Table = (records) => trainingRows(records, [], () => []);

function trainingRows(
  records: readonly RunRecord[],
  added: readonly string[],
  cells: (name: string, group: readonly RunRecord[]) => readonly string[],
): string {
  const grouped = groups(records);
  const rows = [...grouped].map(([name, group]) => [
    name,
    errorOf(timed(group)) ?? spread(valuesOf(timed(group), stepsPerSecond)),
    spread(valuesOf(timed(group), wall)),
    ratioCell(records, name, 'steps/s'),
    ...cells(name, group),
    String(timed(group).length),
    ...returnCells(group, oursAmong(grouped)),
  ]);
  const speed = ['steps/s', 'process start to end, s', 'ours over theirs, steps/s', ...added, 'runs timed'];
  const learning = ['final return [95% interval]', 'ours less theirs', 'seeds'];
  return markdownTable(['', ...speed, ...learning], rows);
}

/** Workloads 16 to 18: speed alone. */
const agentsTable: Table = (records) => {
  const rows = [...groups(timed(records))].map(([name, group]) => [
    name,
    errorOf(group) ?? spread(valuesOf(group, stepsPerSecond)),
    ratioCell(records, name, 'steps/s'),
    spread(valuesOf(group, stepsPerCpuSecond)),
    ratioCell(records, name, 'steps per processor second'),
    String(group.length),
  ]);
  const speed = ["agents' steps/s", 'ours over theirs', 'steps per processor second', 'ours over theirs'];
  return markdownTable(['', ...speed, 'runs timed'], rows);
};

/** Workload 19. */
const tuningTable: Table = (records) => {
  const rows = [...groups(timed(records))].map(([name, group]) => [
    name,
    errorOf(group) ?? spread(valuesOf(group, seconds)),
    ratioCell(records, name, 'time'),
    spread(valuesOf(group, cpuSeconds)),
    ratioCell(records, name, 'processor time'),
    group[0].answer.note ?? '',
  ]);
  return markdownTable(['', 's', 'theirs over ours', 'processor s', 'theirs over ours', ''], rows);
};

const reachedTable: Table = (records) => {
  const grouped = groups(records);
  const rows = [...grouped].map(([name, group]) => {
    const reached = group.flatMap(({ answer }) => answer.reached ?? []);
    return [
      name,
      spread(valuesOf(timed(group), reachedSeconds)),
      ratioCell(records, name, 'time to a training mean of 450'),
      spread(valuesOf(timed(group), stepsPerSecond)),
      `${reached.length} of ${group.length}`,
      spread(reached.map(({ envSteps }) => envSteps)),
      ...returnCells(group, oursAmong(grouped)),
    ];
  });
  const speed = ['process start to 450, s', 'theirs over ours', 'steps/s'];
  const learning = ['reached', 'after environment steps', 'return there [95% interval]'];
  return markdownTable(['', ...speed, ...learning, 'ours less theirs', 'seeds'], rows);
};

const solvedTable: Table = (records) => {
  const rows = [...groups(timed(records))].map(([name, group]) => {
    const solved = group.filter(({ answer }) => answer.solved === true);
    return [
      name,
      `${solved.length} of ${group.length}`,
      errorOf(group) ?? spread(valuesOf(solved, solvedSeconds)),
      spread(solved.flatMap(({ answer }) => answer.envSteps ?? [])),
      ratioCell(records, name, 'time to solve'),
    ];
  });
  return markdownTable(['', 'solved', 'seconds', 'environment steps', 'theirs over ours'], rows);
};

const startTable: Table = (records) => {
  const starts = timed(records).filter(({ variant }) => variant === 'start-up');
  const rows = [...groups(starts)].map(([name, group]) => [
    name.replace(', start-up', ''),
    spread(valuesOf(group, ready)),
    spread(valuesOf(group, wall)),
    spread(valuesOf(group, peakMib)),
  ]);
  const header = ['', 'ready to train, s', 'end of the first iteration, s', 'peak resident memory, MiB'];
  const long = records.filter(({ answer }) => answer.residentMib !== undefined);
  const mark = (k: number) => spread(long.flatMap(({ answer }) => answer.residentMib?.[k] ?? []));
  const grown =
    long.length === 0
      ? ''
      : `\n\nOurs over a long run (${long.length} of them): ${mark(0)} MiB at 5 million steps, ${mark(1)} MiB at 20 million, ${spread(valuesOf(long, peakMib))} MiB at its peak.`;
  return `${markdownTable(header, rows)}\n\nChild processes are not counted (RLlib has several).${grown}`;
};

const updateTable: Table = (records) => {
  const rows = [...groups(timed(records))].map(([name, group]) => [
    name,
    errorOf(group) ?? spread(group.flatMap(({ answer }) => answer.times ?? [])),
    ratioCell(records, name, 'time of an update'),
    String(group.length),
    group[0].answer.note ?? '',
  ]);
  const header = ['', 'ms per minibatch', 'theirs over ours, medians', 'runs', ''];
  return `${markdownTable(header, rows)}\n\nOurs: the whole update of an iteration, permutations, gathers and bookkeeping included, divided by its minibatches.`;
};

const latencyTable: Table = (records) => {
  const rows = [...groups(timed(records))].map(([name, group]) => [
    name,
    errorOf(group) ?? spread(group.flatMap(({ answer }) => answer.single ?? [])),
    ratioCell(records, name, 'one observation'),
    spread(group.flatMap(({ answer }) => answer.batch ?? [])),
    ratioCell(records, name, '64 observations'),
    String(group.length),
  ]);
  const header = [
    ...['', 'one observation, us', 'theirs over ours'],
    ...['64 observations, us', 'theirs over ours', 'runs'],
  ];
  return `${markdownTable(header, rows)}\n\nOurs takes 64 calls for 64 observations; the others take them at once.`;
};

const growthTable: Table = (records) => {
  const variants = [...new Set(timed(records).map(({ variant }) => variant))];
  const rows = variants.map((variant) => {
    const of = (name: string, measure: Measure) =>
      valuesOf(
        timed(records).filter((record) => record.contestant === name && record.variant === variant),
        measure,
      );
    const ratio = ratioCell(records, `Stable-Baselines3, ${variant}`, 'steps/s');
    return [variant, spread(of('operant', stepsPerSecond)), spread(of('sb3', stepsPerSecond)), ratio];
  });
  const note =
    'Stable-Baselines3 has no counterpart of worker threads: its SubprocVecEnv is one process for each environment, 32 here. Environments: rollouts of 4096 steps in all. Width: of two hidden layers; depth: of layers of 64; 256 rows a minibatch.';
  const table = markdownTable(['', 'Operant, steps/s', 'Stable-Baselines3, steps/s', 'ratio'], rows);
  return `${table}\n\n![steps/s as workers, environments, width and depth grow](peers-growth.svg)\n\n${note}`;
};

export const TABLES: { readonly [workload: number]: Table } = {
  1: trainingTable,
  2: trainingTable,
  3: processorTable,
  4: reachedTable,
  5: solvedTable,
  6: startTable,
  7: updateTable,
  8: latencyTable,
  9: growthTable,
  10: processorTable,
  11: processorTable,
  12: processorTable,
  13: solvedTable,
  14: processorTable,
  15: processorTable,
  16: agentsTable,
  17: agentsTable,
  18: agentsTable,
  19: tuningTable,
  20: asynchronousTable,
  21: physicsTable,
  22: physicsTable,
};
