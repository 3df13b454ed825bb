/** The Markdown report of the peer benchmarks. */
import { machineLine } from '../machine.ts';
import { differenceInterval, mean, meanInterval, median } from '../statistics.ts';
import { titleOf } from './contestants.ts';
import type { Results, RunRecord } from './results.ts';
import { WORKLOADS } from './workloads.ts';

type Measure = (record: RunRecord) => number | undefined;

const stepsPerSecond: Measure = ({ answer: { envSteps, seconds, error } }) =>
  error !== undefined || envSteps === undefined || seconds === undefined ? undefined : envSteps / seconds;

const wall: Measure = ({ answer }) => (answer.error === undefined ? answer.sinceStart : undefined);

const short = (value: number): string => {
  if (value >= 1000) return Math.round(value).toLocaleString('en-US');
  return String(Number(value.toPrecision(3)));
};

const spread = (values: readonly number[], show = short): string =>
  values.length === 0
    ? '-'
    : `${show(median(values))} (${show(Math.min(...values))} to ${show(Math.max(...values))})`;

const groupName = ({ contestant, variant }: RunRecord) =>
  `${titleOf(contestant)}${variant === '' ? '' : `, ${variant}`}`;

function groups(records: readonly RunRecord[]): Map<string, RunRecord[]> {
  const grouped = new Map<string, RunRecord[]>();
  for (const record of records)
    grouped.set(groupName(record), [...(grouped.get(groupName(record)) ?? []), record]);
  return grouped;
}

const valuesOf = (records: readonly RunRecord[], measure: Measure): number[] =>
  records.map(measure).filter((value) => value !== undefined);

/** Ours over theirs, seed by seed. */
function ratios(ours: readonly RunRecord[], theirs: readonly RunRecord[], measure: Measure): number[] {
  return theirs.flatMap((other) => {
    const own = ours.find(({ seed }) => seed === other.seed);
    const [first, second] = [own === undefined ? undefined : measure(own), measure(other)];
    return first === undefined || second === undefined ? [] : [first / second];
  });
}

function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [line(header), line(header.map(() => '---')), ...rows.map(line)].join('\n');
}

/** Mean return of a run's 100 greedy episodes; runs that were cut short do not count. */
const finalReturn: Measure = ({ answer: { returns, envSteps, error }, workload }) => {
  const steps = workload === 1 ? 100_000 : workload === 2 ? 500_000 : 300_000;
  if (error !== undefined || returns === undefined || returns.length === 0 || (envSteps ?? 0) < steps * 0.95)
    return undefined;
  return mean(returns);
};

const interval = ([low, high]: readonly [number, number]) => `[${low.toFixed(1)}, ${high.toFixed(1)}]`;

/** Workloads 1 to 3: steps/s, seconds, ratio, and whether the learning is the same. */
function trainingTable(records: readonly RunRecord[]): string {
  const grouped = groups(records);
  const ours = [...grouped.values()].find(([first]) => first.contestant === 'operant') ?? [];
  const ownReturns = valuesOf(ours, finalReturn);
  const rows = [...grouped].map(([name, group]) => {
    const returns = valuesOf(group, finalReturn);
    const isOurs = group === ours;
    const difference =
      isOurs || returns.length < 2 || ownReturns.length < 2
        ? ''
        : interval(differenceInterval(ownReturns, returns));
    const errors = group.flatMap(({ answer }) => answer.error ?? []);
    return [
      name,
      spread(valuesOf(group, stepsPerSecond)),
      spread(valuesOf(group, wall)),
      isOurs ? '' : spread(ratios(ours, group, stepsPerSecond)),
      returns.length === 0
        ? (errors[0] ?? 'not run to the end')
        : `${mean(returns).toFixed(1)} ${interval(meanInterval(returns))}`,
      difference,
      String(group.length),
    ];
  });
  const header = [
    '',
    'steps/s',
    'process start to end, s',
    'ours over theirs, steps/s',
    'final return, 95% interval',
    'ours less theirs',
    'seeds',
  ];
  return table(header, rows);
}

function reachedTable(records: readonly RunRecord[]): string {
  const rows = [...groups(records)].map(([name, group]) => {
    const reached = group.flatMap(({ answer }) => answer.reached ?? []);
    return [
      name,
      `${reached.length} of ${group.length}`,
      spread(reached.map(({ seconds }) => seconds)),
      spread(reached.map(({ envSteps }) => envSteps)),
      spread(valuesOf(group, stepsPerSecond)),
    ];
  });
  return table(['', 'reached', 'seconds from process start', 'environment steps', 'steps/s'], rows);
}

function solvedTable(records: readonly RunRecord[]): string {
  const grouped = groups(records);
  const time: Measure = ({ answer: { solved, seconds } }) => (solved === true ? seconds : undefined);
  const ours = [...grouped.values()].find(([first]) => first.contestant === 'operant') ?? [];
  const rows = [...grouped].map(([name, group]) => {
    const solved = group.filter(({ answer }) => answer.solved === true);
    return [
      name,
      `${solved.length} of ${group.length}`,
      spread(valuesOf(solved, time)),
      spread(solved.flatMap(({ answer }) => answer.envSteps ?? [])),
      group === ours ? '' : spread(ratios(group, ours, time)),
    ];
  });
  return table(['', 'solved', 'seconds', 'environment steps', 'theirs over ours'], rows);
}

function startTable(records: readonly RunRecord[]): string {
  const starts = records.filter(({ variant }) => variant === 'start-up');
  const rows = [...groups(starts)].map(([name, group]) => [
    name.replace(', start-up', ''),
    spread(valuesOf(group, ({ answer }) => answer.ready)),
    spread(valuesOf(group, wall)),
    spread(valuesOf(group, ({ answer }) => answer.peakMib)),
  ]);
  const header = ['', 'ready to train, s', 'end of the first iteration, s', 'peak resident memory, MiB'];
  const growth = records.find(({ answer }) => answer.residentMib !== undefined)?.answer.residentMib;
  const grown =
    growth === undefined
      ? ''
      : `\n\nOurs over a long run: ${growth[0]} MiB at 5 million steps, ${growth[1]} MiB at 20 million.`;
  return `${table(header, rows)}\n\nChild processes are not counted (RLlib has several).${grown}`;
}

function updateTable(records: readonly RunRecord[]): string {
  const rows = [...groups(records)].map(([name, [{ answer }]]) => [
    name,
    answer.times === undefined ? (answer.error ?? '-') : spread(answer.times),
    answer.note ?? '',
  ]);
  return `${table(['', 'ms per minibatch', ''], rows)}\n\nOurs: the whole update of an iteration, permutations, gathers and bookkeeping included, divided by its minibatches.`;
}

function latencyTable(records: readonly RunRecord[]): string {
  const rows = [...groups(records)].map(([name, [{ answer }]]) => [
    name,
    answer.single === undefined ? (answer.error ?? '-') : spread(answer.single),
    answer.batch === undefined ? '-' : spread(answer.batch),
  ]);
  return `${table(['', 'one observation, us', '64 observations, us'], rows)}\n\nOurs takes 64 calls for 64 observations.`;
}

function growthTable(records: readonly RunRecord[]): string {
  const variants = [...new Set(records.map(({ variant }) => variant))];
  const rows = variants.map((variant) => {
    const of = (name: string) =>
      records.filter((record) => record.contestant === name && record.variant === variant);
    const [ours, theirs] = [of('operant'), of('sb3')];
    return [
      variant,
      spread(valuesOf(ours, stepsPerSecond)),
      spread(valuesOf(theirs, stepsPerSecond)),
      spread(ratios(ours, theirs, stepsPerSecond)),
    ];
  });
  return `${table(['', 'Operant, steps/s', 'Stable-Baselines3, steps/s', 'ratio'], rows)}\n\nWorkers of Stable-Baselines3: a SubprocVecEnv with one process per environment, or none.`;
}

const TABLES: { readonly [id: number]: (records: readonly RunRecord[]) => string } = {
  1: trainingTable,
  2: trainingTable,
  3: trainingTable,
  4: reachedTable,
  5: solvedTable,
  6: startTable,
  7: updateTable,
  8: latencyTable,
  9: growthTable,
};

export function peersReport({ machine, peers, threads, records }: Results): string {
  const sections = WORKLOADS.flatMap(({ id, title }) => {
    const own = records.filter(({ workload }) => workload === id);
    if (own.length === 0) return [];
    const loads = own.map(({ load }) => load);
    return [`## ${id}. ${title}\n\n${TABLES[id](own)}\n\nLoad when a run began: ${spread(loads)}.`];
  });
  const tuned = Object.entries(threads).map(([name, { chosen, stepsPerSecond: tried }]) => {
    const counts = Object.entries(tried).map(([count, rate]) => `${count}: ${short(rate)} steps/s`);
    return `- ${titleOf(name)}: ${chosen} (${counts.join('; ')})`;
  });
  const installed = peers.map(({ title, versions, problem }) => [
    title,
    problem === null ? versions : `not here: ${problem}`,
  ]);
  return [
    '# Operant and its peers',
    `${machineLine(machine)}. Not run on CUDA.`,
    'Medians, with the smallest and largest in brackets. Ratios are taken seed by seed. Runs were interleaved. Seconds count from the start of the process; evaluation is outside of the clock except in workload 5. RLlib, Sample Factory and reinforce-js are stopped after 120 s (their steps/s counts, their returns do not). Made by `npm run bench:peers`.',
    ...sections,
    '## Peers',
    table(['', 'what ran'], installed),
    ...(tuned.length > 0
      ? ['Threads of their libraries, tuned on a short run of workload 1:', tuned.join('\n')]
      : []),
    '',
  ].join('\n\n');
}
