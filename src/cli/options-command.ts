/** `operant options`: the options of an algorithm, for people, programs and the documentation. */

import { findAlgorithm } from '../../algorithms/find-algorithm.ts';
import { flagName, listOptions } from '../config/option.ts';
import { optionsMarkdown } from '../config/options-document.ts';
import type { CommandContext } from './command.ts';
import { JSON_FLAG, readFlags } from './command-flags.ts';
import { EXIT } from './report-error.ts';

const USAGE = `Usage: operant options [flags]

Lists every option of an algorithm with its section, flag, bounds, default and unit, as Markdown or JSON.`;

export async function optionsCommand(context: CommandContext): Promise<number> {
  const algo = { name: 'algo', form: '<name|path>', doc: 'Algorithm. [ppo]' };
  const flags = readFlags(context, USAGE, [algo, JSON_FLAG]);
  if (flags === null) return EXIT.done;
  const { name: algorithm, options } = await findAlgorithm(flags.get('algo') ?? 'ppo');
  if (flags.get('json') !== 'true') {
    context.stdout.write(optionsMarkdown(algorithm, options));
    return EXIT.done;
  }
  const rows = listOptions(options).map(({ section, name, option }) => ({
    section,
    name,
    flag: `--${flagName(name)}`,
    expects: option.kind.expects,
    default: option.default,
    unit: option.unit ?? null,
    doc: option.doc,
    affectsLearning: option.affectsLearning !== false,
  }));
  context.stdout.write(`${JSON.stringify({ algorithm, options: rows }, null, 2)}\n`);
  return EXIT.done;
}
