/** `operant train --seeds 1..5`: the same training under several seeds, side by side. */
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { ConfigError } from '../errors.ts';
import { makeFolder, replaceTextFile } from '../files/durable-files.ts';
import type { JsonObject } from '../json.ts';
import { formatValue } from '../run/format-number.ts';
import { makeFreshFolder } from '../run/fresh-folder.ts';
import { runSeeds, type SeedResult, seedStatistics, seedsText } from '../tune/many-seeds.ts';
import type { CommandContext } from './command.ts';
import { type FlagSpec, peekFlag } from './flags.ts';
import { interruptSignal } from './interrupt.ts';
import { createOutput, type Output } from './output.ts';
import { drawRuns } from './plot-runs.ts';
import { EXIT } from './report-error.ts';
import { DEFAULT_METRIC } from './run-metrics.ts';
import { SEEDS_FLAGS } from './seeds-flags.ts';
import { splitFlags } from './split-flags.ts';
import { prepareTraining } from './train-setup.ts';

const METRIC = 'episodeReturnMean';
const SILENCE_SECONDS = 3600;
const MAX_RETRIES = 2;
const MAX_SEED = 4294967295;

/** Runs the seeds, prints mean, deviation and interval of their mean returns; returns the exit code. */
export async function seedsCommand({ argv, stdout, stderr }: CommandContext): Promise<number> {
  const own: readonly FlagSpec[] = [
    ...SEEDS_FLAGS,
    { name: 'out', form: '<folder>', doc: '' },
    { name: 'json', form: '', doc: '' },
    { name: 'quiet', form: '', doc: '' },
  ];
  const { values, rest } = splitFlags(argv, own);
  if (peekFlag(rest, 'seed') !== undefined)
    throw new ConfigError('CONFIG_CONFLICT', '`--seed` and --seeds do not go together: give one of them.');
  const seeds = readSeeds(values.get('seeds') ?? '');
  const parallel = readParallel(values.get('parallel'));
  const { definition, config, resume, restart } = await prepareTraining(rest);
  if (resume !== undefined || restart !== undefined) {
    throw new ConfigError(
      'CONFIG_CONFLICT',
      '--seeds and --resume do not go together: give --out the folder of the seeds again, and those that are not at their end go on.',
    );
  }
  if (!config.reporting.jsonl)
    throw new ConfigError(
      'CONFIG_CONFLICT',
      '--no-jsonl and --seeds do not go together: results are read from progress.jsonl.',
    );
  const folder = values.get('out') ?? (await makeFreshFolder(join('runs', `${definition.name}-seeds`)));
  await makeFolder(folder);
  const output = createOutput(
    { isJson: values.get('json') === 'true', isQuiet: values.get('quiet') === 'true' },
    stdout,
    stderr,
  );
  output.say(`${seeds.length} seeds, ${parallel} side by side, in ${folder}`);
  const isSamplingAlone =
    !rest.some((argument) => argument.startsWith('--num-env-runners')) && config.envRunners !== undefined;
  const interrupt = interruptSignal();
  const onEnd = (result: SeedResult) => {
    output.say(
      `seed ${result.seed}  ${result.value === null ? `failed: ${result.error}` : `return ${formatValue(result.value)}`}`,
    );
    output.emit({ type: 'seed', ...result });
  };
  // results do not depend on the number of runners, and processes side by side use the cores better
  const args = [...rest, ...(isSamplingAlone ? ['--num-env-runners', '0'] : [])];
  const results = await runSeeds({
    stages: [args],
    seeds,
    folder,
    parallel,
    metric: METRIC,
    silenceSeconds: SILENCE_SECONDS,
    maxRetries: MAX_RETRIES,
    signal: interrupt.signal,
    onEnd,
  });
  interrupt.dispose();
  await conclude(results, folder, output);
  if (interrupt.signal.aborted) return EXIT.interrupted;
  return results.every(({ value }) => value !== null) ? EXIT.done : EXIT.failure;
}

/** Writes seeds.json and curves.svg, and tells them. */
async function conclude(results: readonly SeedResult[], folder: string, output: Output): Promise<void> {
  const statistics = seedStatistics(results.flatMap(({ value }) => value ?? []));
  const summary: JsonObject = {
    metric: METRIC,
    seeds: results.map((result) => ({ ...result })),
    statistics: statistics === null ? null : { ...statistics },
  };
  await replaceTextFile(join(folder, 'seeds.json'), `${JSON.stringify(summary, null, 2)}\n`);
  if (statistics !== null) {
    output.say(`mean return ${seedsText(statistics, formatValue)}`);
  }
  const ended = results.filter(({ value }) => value !== null).map(({ seed }) => join(folder, `seed-${seed}`));
  if (ended.length > 0) {
    const picture = join(folder, 'curves.svg');
    await replaceTextFile(picture, await drawRuns(ended, DEFAULT_METRIC));
    output.say(`curves: ${picture}`);
  }
  output.emit({ type: 'seeds', folder, ...summary });
}

/** @throws ConfigError `CONFIG_SEEDS`. */
export function readSeeds(text: string): number[] {
  const range = /^(\d+)\.\.(\d+)$/.exec(text);
  const seeds =
    range === null
      ? text.split(',').map((part) => (/^\d+$/.test(part) ? Number(part) : Number.NaN))
      : rangeOf(Number(range[1]), Number(range[2]));
  const isRight =
    seeds.length > 0 && seeds.every((seed) => seed <= MAX_SEED) && new Set(seeds).size === seeds.length;
  if (isRight) return seeds;
  throw new ConfigError(
    'CONFIG_SEEDS',
    `Expected \`--seeds\` to be a range of integers, 1..5, or different ones, 0,3,7, each in [0, ${MAX_SEED}], got \`${text}\`.`,
  );
}

function rangeOf(first: number, last: number): number[] {
  return Array.from({ length: Math.max(0, Math.min(last - first + 1, 10_000)) }, (_, k) => first + k);
}

function readParallel(text: string | undefined): number {
  const value = text === undefined ? availableParallelism() : Number(text);
  if (Number.isSafeInteger(value) && value >= 1) return value;
  throw new ConfigError('CONFIG_SEEDS', `Expected \`--parallel\` to be an integer >= 1, got \`${text}\`.`);
}
