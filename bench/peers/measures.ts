/** Figures of runs and how they are shown. */
import { mean, median } from '../statistics.ts';
import { titleOf } from './contestants.ts';
import type { RunRecord } from './results.ts';
import { WORKLOADS } from './workloads.ts';

export type Measure = (record: RunRecord) => number | undefined;

const stepsAsked = ({ workload, contestant, variant }: RunRecord): number => {
  const entries = WORKLOADS.find(({ id }) => id === workload)?.round(0) ?? [];
  const found = entries.find((entry) => entry.contestant === contestant && entry.variant === variant);
  return found !== undefined && 'steps' in found.task ? found.task.steps : 0;
};

const isWhole = (record: RunRecord): boolean =>
  record.answer.error === undefined && (record.answer.envSteps ?? 0) >= 0.95 * stepsAsked(record);

export const stepsPerSecond: Measure = ({ answer: { envSteps, seconds, error } }) =>
  error !== undefined || envSteps === undefined || seconds === undefined ? undefined : envSteps / seconds;

/** What is left where others use the machine, too. */
export const stepsPerCpuSecond: Measure = ({ answer: { envSteps, cpuSeconds, error } }) =>
  error !== undefined || envSteps === undefined || cpuSeconds === undefined
    ? undefined
    : envSteps / cpuSeconds;

/** Of what is timed alone. */
export const seconds: Measure = ({ answer }) => (answer.error === undefined ? answer.seconds : undefined);
export const cpuSeconds: Measure = ({ answer }) =>
  answer.error === undefined ? answer.cpuSeconds : undefined;

/** From process start to the end of training, of runs that went to their end. */
export const wall: Measure = (record) => (isWhole(record) ? record.answer.sinceStart : undefined);

/** As `wall`; of runs that were cut short, what all steps would have taken at their steps/s. */
export const wholeWall: Measure = (record) => {
  const [whole, rate] = [wall(record), stepsPerSecond(record)];
  if (whole !== undefined || rate === undefined) return whole;
  return (record.answer.ready ?? 0) + stepsAsked(record) / rate;
};

/** Median and spread of {@link wholeWall}, and how many of the runs were cut short. */
export function wholeWallCell(records: readonly RunRecord[]): string {
  const found = records.filter((record) => wholeWall(record) !== undefined);
  const numCut = found.filter((record) => wall(record) === undefined).length;
  const cut = numCut === found.length ? 'projected' : `${numCut} of ${found.length} projected`;
  return `${spread(valuesOf(found, wholeWall))}${numCut === 0 ? '' : `, ${cut}`}`;
}

export const ready: Measure = ({ answer }) => (answer.error === undefined ? answer.ready : undefined);
export const peakMib: Measure = ({ answer }) => (answer.error === undefined ? answer.peakMib : undefined);
export const reachedSeconds: Measure = ({ answer }) => answer.reached?.seconds;
export const solvedSeconds: Measure = ({ answer }) => (answer.solved === true ? answer.seconds : undefined);
export const updateMs: Measure = ({ answer: { times } }) => (times === undefined ? undefined : median(times));
export const singleUs: Measure = ({ answer: { single } }) =>
  single === undefined ? undefined : median(single);
export const batchUs: Measure = ({ answer: { batch } }) => (batch === undefined ? undefined : median(batch));

/** Mean return of a run's 100 greedy episodes. Those that stop at a training mean count where they stopped. */
const finalReturn: Measure = (record) => {
  const { returns, reached } = record.answer;
  if (returns === undefined || returns.length === 0) return undefined;
  return isWhole(record) || (reached ?? null) !== null ? mean(returns) : undefined;
};

/** One return for each seed, whichever kind of round it comes from: they do not depend on the load. */
export function returnsOf(group: readonly RunRecord[]): readonly number[] {
  const bySeed = new Map<number, number>();
  for (const record of group) {
    const found = finalReturn(record);
    if (found !== undefined) bySeed.set(record.seed, found);
  }
  return [...bySeed.values()];
}

/** Runs whose speed counts. */
export const timed = (records: readonly RunRecord[]): readonly RunRecord[] =>
  records.filter(({ purpose }) => purpose !== 'learning');

export const groupName = ({ contestant, variant }: Pick<RunRecord, 'contestant' | 'variant'>): string =>
  `${titleOf(contestant)}${variant === '' ? '' : `, ${variant}`}`;

/** By contestant and variant, in the workload's order. */
export function groups(records: readonly RunRecord[]): Map<string, readonly RunRecord[]> {
  const [first] = records;
  const entries = WORKLOADS.find(({ id }) => id === first?.workload)?.round(0) ?? [];
  const names = [...new Set([...entries.map(groupName), ...records.map(groupName)])];
  const grouped = names.map(
    (name) => [name, records.filter((record) => groupName(record) === name)] as const,
  );
  return new Map(grouped.filter(([, group]) => group.length > 0));
}

export const valuesOf = (records: readonly RunRecord[], measure: Measure): number[] =>
  records.map(measure).filter((value) => value !== undefined);

export const short = (value: number): string =>
  value >= 1000 ? Math.round(value).toLocaleString('en-US') : String(Number(value.toPrecision(3)));

/** Median (smallest to largest). */
export function spread(values: readonly number[], show = short): string {
  if (values.length === 0) return '-';
  if (values.length === 1) return show(values[0]);
  return `${show(median(values))} (${show(Math.min(...values))} to ${show(Math.max(...values))})`;
}

export const interval = ([low, high]: readonly [number, number]): string =>
  `[${low.toFixed(1)}, ${high.toFixed(1)}]`;

export function markdownTable(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [line(header), line(header.map(() => '---')), ...rows.map(line)].join('\n');
}
