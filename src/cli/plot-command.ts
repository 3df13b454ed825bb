/** `operant plot RUN...`: learning curves of several runs in one picture. */

import { resolve } from 'node:path';
import { ConfigError } from '../errors.ts';
import { replaceTextFile } from '../files/durable-files.ts';
import { readRegularText } from '../files/regular-file.ts';
import type { JsonObject } from '../json.ts';
import { type Columns, readProgress } from '../metrics/curves/read-progress.ts';
import { drawSeedCurves } from '../metrics/curves/seed-curves.ts';
import { differingOptions } from '../run/hyperparameters.ts';
import type { CommandContext } from './command.ts';
import { readFlags } from './command-flags.ts';
import type { FlagSpec } from './flags.ts';
import { EXIT } from './report-error.ts';
import { columnOf, DEFAULT_METRIC, requireSvg, splitFolders } from './run-metrics.ts';

const USAGE = `Usage: operant plot <run folder>... [flags]

Draws a metric of several runs. Runs that differ in their seed alone are one line, with a band from the lowest to the highest of them.`;

const MAX_CONFIG_BYTES = 2 ** 24;

const FLAGS: readonly FlagSpec[] = [
  { name: 'out', form: '<file.svg>', doc: 'Where to write it. [curves.svg]' },
  {
    name: 'metric',
    form: '<key>',
    doc: `What to draw: a key of progress.jsonl, such as evaluation/episodeReturnMean. [${DEFAULT_METRIC}]`,
  },
];

interface Run {
  readonly path: string;
  readonly config: JsonObject;
  readonly columns: Columns;
}

export async function plotCommand(context: CommandContext): Promise<number> {
  const { folders, rest } = splitFolders(context.argv);
  const flags = readFlags({ ...context, argv: rest }, USAGE, FLAGS);
  if (flags === null) return EXIT.done;
  const out = resolve(flags.get('out') ?? 'curves.svg');
  requireSvg(out);
  if (folders.length === 0)
    throw new ConfigError(
      'CONFIG_FLAG',
      'Which runs? Give their folders first: operant plot runs/a runs/b --out curves.svg',
    );
  const metric = flags.get('metric') ?? DEFAULT_METRIC;
  const runs = await Promise.all(folders.map(readRun));
  const names = groupNames(runs.map(({ config }) => config));
  const lines = runs.map((run, k) => ({ group: names[k], column: columnOf(run, metric) }));
  await replaceTextFile(out, drawSeedCurves(metric, lines));
  context.stdout.write(`${out}\n`);
  return EXIT.done;
}

async function readRun(folder: string): Promise<Run> {
  const path = resolve(folder);
  try {
    const config = JSON.parse(await readRegularText(path, 'config.json', MAX_CONFIG_BYTES)) as JsonObject;
    return { path, config, columns: await readProgress(path) };
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new ConfigError(
      'CONFIG_RUN_FOLDER',
      `Expected ${path} to be a run folder with progress.jsonl: ${why}`,
      {
        cause,
      },
    );
  }
}

/** Each run's group by what differs between the groups: `ppo CartPole-v1, learningRate 0.001`. */
function groupNames(configs: readonly JsonObject[]): readonly string[] {
  const differences = differingOptions(configs);
  return configs.map(({ algorithm, environment }, k) => {
    const { algorithm: _, env: __, ...values } = differences[k];
    const told = Object.entries(values).map(([name, value]) => `${name} ${value}`);
    return [`${algorithm} ${(environment as JsonObject | undefined)?.env}`, ...told].join(', ');
  });
}
