/** The same training under several seeds, as processes. */
import { join } from 'node:path';
import { openStream } from '../random/streams.ts';
import { mean, quantile, sampleDeviation } from '../statistics/sample.ts';
import { readRunMetric } from './run-metric.ts';
import { type Train, trainFolder, trainToEnd } from './train-process.ts';

export interface SeedsOptions {
  /** Arguments of `train`, without --seed, --out and --resume: stretches of one run after another, most often a single one. */
  readonly stages: readonly (readonly string[])[];
  readonly seeds: readonly number[];
  /** Gets a run folder `seed-<n>` for each; one that is there goes on, with what `stages` change. */
  readonly folder: string;
  /** Processes side by side. */
  readonly parallel: number;
  readonly metric: string;
  /** A process that reports nothing for so long is killed. */
  readonly silenceSeconds: number;
  /** How often a process that was killed or crashed is begun again, from its last checkpoint. */
  readonly maxRetries: number;
  /** Processes write a checkpoint and end; nothing new begins. */
  readonly signal: AbortSignal;
  /** @defaultValue a process of this machine */
  readonly train?: Train;
  readonly onEnd?: (result: SeedResult) => void;
}

export interface SeedResult {
  readonly seed: number;
  /** The metric at the end; null without one. */
  readonly value: number | null;
  /** Why there is none. */
  readonly error: string | null;
}

/** @returns one result a seed, in order; those that the signal kept from their end are left out. */
export async function runSeeds(options: SeedsOptions): Promise<SeedResult[]> {
  const { seeds, parallel, signal, onEnd } = options;
  const results = new Map<number, SeedResult>();
  const waiting = [...seeds];
  const work = async () => {
    for (let seed = waiting.shift(); seed !== undefined && !signal.aborted; seed = waiting.shift()) {
      const result = await runSeed(seed, options);
      if (result === null) return;
      results.set(seed, result);
      onEnd?.(result);
    }
  };
  await Promise.all(Array.from({ length: Math.min(parallel, seeds.length) }, work));
  return seeds.flatMap((seed) => results.get(seed) ?? []);
}

/** @returns null where the signal ended it. */
async function runSeed(
  seed: number,
  { stages, folder: parent, metric, silenceSeconds, maxRetries, signal, train = trainFolder }: SeedsOptions,
): Promise<SeedResult | null> {
  const folder = join(parent, `seed-${seed}`);
  for (const args of stages) {
    const begin = [...args, '--seed', String(seed)];
    const resume = args.filter((argument) => !/^--tuned(=|$)/.test(argument)); // a run has its own options
    const error = await trainToEnd({ folder, begin, resume, silenceSeconds, signal }, maxRetries, train);
    if (signal.aborted) return null;
    if (error !== null) return { seed, value: null, error };
  }
  const value = await readRunMetric(folder, metric);
  return typeof value === 'number'
    ? { seed, value, error: null }
    : { seed, value: null, error: value.missing };
}

export interface SeedStatistics {
  /** How many values there were. */
  readonly numSeeds: number;
  readonly mean: number;
  /** With n - 1; 0 of a single value. */
  readonly std: number;
  /** 95 % percentile bootstrap of the mean; null of a single value. Of few seeds it is narrower than it says: of five it holds the mean in about 84 % of cases. */
  readonly interval: readonly [number, number] | null;
}

const NUM_RESAMPLES = 10_000;

/** null of no values. The bootstrap's draws are seeded: the same values give the same interval. */
export function seedStatistics(values: readonly number[]): SeedStatistics | null {
  const count = values.length;
  if (count === 0) return null;
  return {
    numSeeds: count,
    mean: mean(values),
    std: sampleDeviation(values),
    interval: count === 1 ? null : bootstrapInterval(values),
  };
}

function bootstrapInterval(values: readonly number[]): [number, number] {
  const stream = openStream(0, 'bootstrap');
  const means = Array.from({ length: NUM_RESAMPLES }, () =>
    mean(values.map(() => values[stream.integer(values.length)])),
  );
  return [quantile(means, 0.025), quantile(means, 0.975)];
}

/** `493 +- 9 (95 % bootstrap interval 482 to 500)`; of a single seed its value alone. */
export function seedsText(
  { mean, std, interval }: SeedStatistics,
  format: (value: number) => string,
): string {
  if (interval === null) return `${format(mean)} (one seed, so no spread)`;
  return `${format(mean)} +- ${format(std)} (95 % bootstrap interval ${interval.map(format).join(' to ')})`;
}
