/** The shared harness of the timing scripts: variants interleaved in one process, best, median and quartiles, JSON. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { performance } from 'node:perf_hooks';
import { argv, cpuUsage } from 'node:process';
import { describeMachine, load, machineLine } from './machine.ts';
import { median, quantile } from './statistics.ts';

export interface Variant {
  readonly name: string;
  /** Runs `units` units of work. */
  readonly run: () => void | Promise<void>;
  readonly units: number;
  /** Times of the last run as measured in the process that it ran in, where that is another one. */
  readonly ownTimes?: () => OwnTimes;
}

/** With what it holds until it is stopped: threads, tensors. */
export interface HeldVariant {
  readonly variant: Variant;
  readonly stop: () => Promise<unknown>;
}

/** Microseconds of a whole run. */
export interface OwnTimes {
  readonly elapsed: number;
  readonly cpu: number;
}

/** Microseconds per unit. */
export interface Timing {
  readonly name: string;
  readonly best: number;
  readonly lowerQuartile: number;
  readonly median: number;
  readonly upperQuartile: number;
  /** Processor time of all threads, median: on a busy machine it wanders less than the clock. */
  readonly cpuMedian: number;
  readonly samples: readonly number[];
}

export interface InterleaveOptions {
  readonly numRounds: number;
  /** Rounds whose times are thrown away: V8 needs calls before it compiles for speed. */
  readonly numWarmups: number;
}

const SAMPLE_MICROSECONDS = 1500;

/** How many turns make a sample long enough to time. */
export function turnsOf(run: () => void): number {
  for (let k = 0; k < 20; k++) run();
  const start = performance.now();
  for (let k = 0; k < 20; k++) run();
  const turn = (1000 * (performance.now() - start)) / 20;
  return Math.max(1, Math.round(SAMPLE_MICROSECONDS / turn));
}

/** As long as the other samples: a short one catches the processor at another clock. */
export function longer({ variant, stop }: HeldVariant): HeldVariant {
  const units = turnsOf(() => void variant.run());
  const run = () => {
    for (let k = 0; k < units; k++) void variant.run();
  };
  return { variant: { ...variant, units, run }, stop };
}

/** One sample of every variant per round, so that drift of the machine's speed falls on all of them alike. */
export async function interleave(
  variants: readonly Variant[],
  { numRounds, numWarmups }: InterleaveOptions,
): Promise<Timing[]> {
  const samples = variants.map((): number[] => []);
  const cpuSamples = variants.map((): number[] => []);
  for (let round = -numWarmups; round < numRounds; round++) {
    for (const [k, variant] of variants.entries()) {
      const cpuStart = cpuUsage();
      const start = performance.now();
      await variant.run();
      const elapsed = 1000 * (performance.now() - start);
      const { user, system } = cpuUsage(cpuStart);
      if (round < 0) continue;
      const times = variant.ownTimes?.() ?? { elapsed, cpu: user + system };
      samples[k].push(times.elapsed / variant.units);
      cpuSamples[k].push(times.cpu / variant.units);
    }
  }
  return variants.map(({ name }, k) => ({
    name,
    best: Math.min(...samples[k]),
    lowerQuartile: quantile(samples[k], 0.25),
    median: median(samples[k]),
    upperQuartile: quantile(samples[k], 0.75),
    cpuMedian: median(cpuSamples[k]),
    samples: samples[k],
  }));
}

export function printHeader(title: string): void {
  console.log(`${title}\n${machineLine(describeMachine())}\nload average ${load()}\n`);
}

/** A table with right-aligned columns; the first one is left-aligned. */
export function printTable(header: readonly string[], rows: readonly (readonly string[])[]): void {
  const widths = header.map((cell, k) => Math.max(cell.length, ...rows.map((row) => row[k].length)));
  const line = (cells: readonly string[]) =>
    cells.map((cell, k) => (k === 0 ? cell.padEnd(widths[k]) : cell.padStart(widths[k]))).join('  ');
  for (const cells of [header, ...rows]) console.log(line(cells));
  console.log();
}

/** `--name value` of the command line. */
export function option(name: string, fallback: string): string {
  const index = argv.indexOf(`--${name}`);
  return index >= 0 ? (argv[index + 1] ?? fallback) : fallback;
}

/** Writes results beside what describes them, when `--json FILE` was given. */
export function writeResults(results: object): void {
  const file = option('json', '');
  if (file === '') return;
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(
    file,
    `${JSON.stringify({ machine: describeMachine(), load: load(), ...results }, null, 1)}\n`,
  );
}
