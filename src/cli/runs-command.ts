/** `operant runs [DIR]`: the runs below a folder. */
import { ConfigError } from '../errors.ts';
import type { JsonObject } from '../json.ts';
import { formatCount, formatValue } from '../run/format-number.ts';
import { differingOptions } from '../run/hyperparameters.ts';
import { type ListedRun, listRuns } from '../run/list-runs.ts';
import { table } from '../run/text-table.ts';
import type { CommandContext } from './command.ts';
import { JSON_FLAG, readFlags } from './command-flags.ts';
import type { FlagSpec } from './flags.ts';
import { EXIT } from './report-error.ts';
import { DEFAULT_METRIC, greatest } from './run-metrics.ts';

const USAGE = `Usage: operant runs [folder] [flags]

Lists the runs below a folder (runs/ if none is named), trials of studies among them: state, steps, newest and greatest value of a metric, checkpoints (* marks that of
\`best\`), size, and the options in which they differ.`;

const FLAGS: readonly FlagSpec[] = [
  { name: 'metric', form: '<key>', doc: `What to show: a key of progress.jsonl. [${DEFAULT_METRIC}]` },
  JSON_FLAG,
];

export async function runsCommand(context: CommandContext): Promise<number> {
  const [first = '-'] = context.argv;
  const isNamed = !first.startsWith('-');
  const flags = readFlags({ ...context, argv: context.argv.slice(isNamed ? 1 : 0) }, USAGE, FLAGS);
  if (flags === null) return EXIT.done;
  const folder = isNamed ? first : 'runs';
  const runs = await listRuns(folder).catch((cause: unknown) => {
    const why = cause instanceof Error ? cause.message : String(cause);
    const message = `Expected \`${folder}\` to be a folder with runs in it: ${why}`;
    throw new ConfigError('CONFIG_RUN_FOLDER', message, { cause });
  });
  const metric = flags.get('metric') ?? DEFAULT_METRIC;
  const differences = differingOptions(runs.map(({ config }) => config));
  if (flags.get('json') === 'true') {
    const listed = runs.map((run, k) => jsonOf(run, metric, differences[k]));
    context.stdout.write(`${JSON.stringify(listed, null, 2)}\n`);
  } else if (runs.length === 0) context.stdout.write(`No runs below ${folder}.\n`);
  else context.stdout.write(`${textOf(runs, metric, differences)}\n`);
  return EXIT.done;
}

function jsonOf({ columns, config, ...run }: ListedRun, metric: string, differences: JsonObject): JsonObject {
  const { values = [] } = columns.get(metric) ?? {};
  return {
    ...run,
    algorithm: config.algorithm,
    env: (config.environment as JsonObject | undefined)?.env ?? null,
    metric: { key: metric, newest: values.at(-1) ?? null, greatest: greatest(values) },
    differences,
  };
}

function textOf(runs: readonly ListedRun[], metric: string, differences: readonly JsonObject[]): string {
  const head = ['run', 'state', 'steps', 'newest', 'greatest', 'checkpoints', 'MiB', 'differs in'];
  const rows = runs.map(({ path, state, numEnvSteps, columns, checkpoints, best, numBytes }, k) => {
    const { values = [] } = columns.get(metric) ?? {};
    const show = (value: number | null | undefined) => (value == null ? '-' : formatValue(value));
    const numbers = checkpoints.map((number) => `${number}${number === best ? '*' : ''}`);
    const told = Object.entries(differences[k]).map(([name, value]) => `${name} ${shown(value)}`);
    return [
      ...[path, state, formatCount(numEnvSteps), show(values.at(-1)), show(greatest(values))],
      ...[numbers.join(' ') || '-', (numBytes / 2 ** 20).toFixed(1), told.join(', ')],
    ];
  });
  return `${table([head, ...rows])}\n\n${runs.length} runs; newest and greatest of ${metric}`;
}

const shown = (value: JsonObject[string]) => (typeof value === 'number' ? formatValue(value) : String(value));
