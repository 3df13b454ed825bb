/** `operant plot RUN...`: learning curves of several runs in one picture. */
import { resolve } from 'node:path';
import { ConfigError } from '../errors.ts';
import { replaceTextFile } from '../files/durable-files.ts';
import type { CommandContext } from './command.ts';
import { readFlags } from './command-flags.ts';
import type { FlagSpec } from './flags.ts';
import { drawRuns } from './plot-runs.ts';
import { EXIT } from './report-error.ts';
import { DEFAULT_METRIC, requireSvg, splitFolders } from './run-metrics.ts';

const USAGE = `Usage: operant plot <run folder>... [flags]

Draws a metric of several runs. Runs that differ in their seed alone are one line, with a band from the lowest to the highest of them.`;

const FLAGS: readonly FlagSpec[] = [
  { name: 'out', form: '<file.svg>', doc: 'Where to write it. [curves.svg]' },
  {
    name: 'metric',
    form: '<key>',
    doc: `What to draw: a key of progress.jsonl, such as evaluation/episodeReturnMean. [${DEFAULT_METRIC}]`,
  },
];

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
  await replaceTextFile(out, await drawRuns(folders, metric));
  context.stdout.write(`${out}\n`);
  return EXIT.done;
}
