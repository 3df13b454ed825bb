/** One metric of several runs in one picture. */
import { resolve } from 'node:path';
import { ConfigError } from '../errors.ts';
import { readRegularText } from '../files/regular-file.ts';
import type { JsonObject } from '../json.ts';
import { type Columns, readProgress } from '../metrics/curves/read-progress.ts';
import { drawSeedCurves } from '../metrics/curves/seed-curves.ts';
import { differingOptions } from '../run/hyperparameters.ts';
import { columnOf } from './run-metrics.ts';

const MAX_CONFIG_BYTES = 2 ** 24;

interface Run {
  readonly path: string;
  readonly config: JsonObject;
  readonly columns: Columns;
}

/**
 * A picture as SVG: runs that differ in their seed alone are one line, with a band.
 *
 * @throws ConfigError `CONFIG_RUN_FOLDER` for a folder without a run, `CONFIG_METRIC` for one that has not the metric.
 */
export async function drawRuns(folders: readonly string[], metric: string): Promise<string> {
  const runs = await Promise.all(folders.map(readRun));
  const names = groupNames(runs.map(({ config }) => config));
  return drawSeedCurves(
    metric,
    runs.map((run, k) => ({ group: names[k], column: columnOf(run, metric) })),
  );
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
