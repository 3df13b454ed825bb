/** `operant compare RUN RUN`: what two runs came to, and in what they differ. */
import { resolve } from 'node:path';
import { loadManifest } from '../checkpoint/load-checkpoint.ts';
import { type OptionChange, optionChanges } from '../config/resume-rules.ts';
import { ConfigError } from '../errors.ts';
import { replaceTextFile } from '../files/durable-files.ts';
import type { JsonObject } from '../json.ts';
import { compareFingerprints, type Fingerprint, type FingerprintDifference } from '../machine/fingerprint.ts';
import { drawSeedCurves } from '../metrics/curves/seed-curves.ts';
import { formatCount, formatValue } from '../run/format-number.ts';
import { type ListedRun, readRun } from '../run/list-runs.ts';
import { table } from '../run/text-table.ts';
import type { CommandContext } from './command.ts';
import { JSON_FLAG, readFlags } from './command-flags.ts';
import type { FlagSpec } from './flags.ts';
import { wrap } from './help-text.ts';
import { EXIT } from './report-error.ts';
import { columnOf, DEFAULT_METRIC, greatest, requireSvg, splitFolders } from './run-metrics.ts';

const USAGE = `Usage: operant compare <run folder> <run folder> [flags]

Tells what two runs came to, metric by metric at the steps that both have reached, and how their options, machines and versions differ; with --out, draws their curves.`;

const FLAGS: readonly FlagSpec[] = [
  { name: 'out', form: '<file.svg>', doc: 'Draw the curves of --metric there. [none]' },
  { name: 'metric', form: '<key>', doc: `What --out draws: a key of progress.jsonl. [${DEFAULT_METRIC}]` },
  JSON_FLAG,
];

interface MetricRow {
  readonly key: string;
  /** At the newest step that both runs have reached; null where one has no value by then. */
  readonly values: readonly (number | null)[];
  readonly greatest: readonly (number | null)[];
}

interface Comparison {
  readonly runs: readonly { path: string; state: string; numEnvSteps: number }[];
  readonly atSteps: number;
  readonly options: readonly OptionChange[];
  readonly machines: readonly FingerprintDifference[];
  readonly metrics: readonly MetricRow[];
}

export async function compareCommand(context: CommandContext): Promise<number> {
  const { folders, rest } = splitFolders(context.argv);
  const flags = readFlags({ ...context, argv: rest }, USAGE, FLAGS);
  if (flags === null) return EXIT.done;
  if (folders.length !== 2) {
    const message = `Expected two run folders first, got ${folders.length}: operant compare runs/a runs/b`;
    throw new ConfigError('CONFIG_FLAG', message);
  }
  const out = flags.get('out');
  if (out !== undefined) requireSvg(out);
  const runs = await Promise.all(folders.map(openRun));
  const comparison = await compare(runs);
  if (out !== undefined) await draw(runs, flags.get('metric') ?? DEFAULT_METRIC, resolve(out));
  const isJson = flags.get('json') === 'true';
  context.stdout.write(`${isJson ? JSON.stringify(comparison, null, 2) : textOf(comparison)}\n`);
  return EXIT.done;
}

async function openRun(folder: string): Promise<ListedRun> {
  return readRun(resolve(folder), folder).catch((cause: unknown) => {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new ConfigError('CONFIG_RUN_FOLDER', `Expected \`${folder}\` to be a run folder: ${why}`, {
      cause,
    });
  });
}

async function compare(runs: readonly ListedRun[]): Promise<Comparison> {
  const atSteps = Math.min(...runs.map(({ numEnvSteps }) => numEnvSteps));
  const keys = [...new Set(runs.flatMap(({ columns }) => [...columns.keys()]))];
  const [first, second] = runs.map(({ config }) => withoutHistory(config));
  return {
    runs: runs.map(({ path, state, numEnvSteps }) => ({ path, state, numEnvSteps })),
    atSteps,
    options: optionChanges(first, second).filter(({ option }) => option !== 'checkpointing.out'),
    machines: await machineDifferences(runs),
    metrics: keys.map((key) => ({
      key,
      values: runs.map(({ columns }) => valueAt(columns.get(key), atSteps)),
      greatest: runs.map(({ columns }) => greatest(columns.get(key)?.values ?? [])),
    })),
  };
}

/** What resumes changed is in the options themselves. */
function withoutHistory({ history: _, ...config }: JsonObject): JsonObject {
  return Object.fromEntries(
    Object.entries(config).map(([section, value]) => [
      section,
      typeof value === 'object' ? value : { [section]: value },
    ]),
  );
}

async function machineDifferences(runs: readonly ListedRun[]): Promise<FingerprintDifference[]> {
  const saved = await Promise.all(
    runs.map(({ path }) =>
      loadManifest(resolve(path))
        .then(({ manifest }) => manifest.fingerprint as unknown as Partial<Fingerprint>)
        .catch(() => null),
    ),
  );
  return saved[0] === null || saved[1] === null ? [] : compareFingerprints(saved[0], saved[1]);
}

function valueAt(column: { steps: number[]; values: number[] } | undefined, atSteps: number): number | null {
  const k = column?.steps.findLastIndex((steps) => steps <= atSteps) ?? -1;
  return k < 0 ? null : (column?.values[k] ?? null);
}

async function draw(runs: readonly ListedRun[], metric: string, out: string): Promise<void> {
  const lines = runs.map((run) => ({ group: run.path, column: columnOf(run, metric) }));
  await replaceTextFile(out, drawSeedCurves(metric, lines));
}

function textOf({ runs, atSteps, options, machines, metrics }: Comparison): string {
  const show = (value: number | null) => (value === null ? '-' : formatValue(value));
  const told = metrics.filter(({ key }) => !key.startsWith('time/') && !/\/num[A-Z]/.test(key));
  const lines = [
    table(
      runs.map(({ path, state, numEnvSteps }, k) => [
        `${'AB'[k]}`,
        path,
        state,
        `${formatCount(numEnvSteps)} steps`,
      ]),
    ),
    '',
    table([
      [`at ${formatCount(atSteps)} steps`, 'A', 'B', 'greatest of A', 'of B'],
      ...told.map(({ key, values, greatest: most }) => [key, ...values.map(show), ...most.map(show)]),
    ]),
    '',
    options.length === 0 ? 'Their options are the same.' : 'Options:',
    ...options.map(
      ({ option, from, to }) => `  ${option}: ${JSON.stringify(from)} in A, ${JSON.stringify(to)} in B`,
    ),
  ];
  if (machines.length > 0) lines.push('', 'Machines and versions:');
  for (const { field, first, second, consequence } of machines)
    lines.push(
      ...wrap(`${field}: ${first} in A, ${second} in B. ${consequence}`, 100).map((line) => `  ${line}`),
    );
  return lines.join('\n');
}
