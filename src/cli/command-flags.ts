/** Flags of the commands that are no options of an algorithm, and what most of them share. */
import { showValue } from '../config/problems.ts';
import { integer } from '../config/value-kind.ts';
import { ConfigError } from '../errors.ts';
import type { CommandContext } from './command.ts';
import { type FlagSpec, type FlagValues, parseFlags } from './flags.ts';
import { flagsHelp, HELP_WIDTH, wrap } from './help-text.ts';

export const HELP_FLAG: FlagSpec = { name: 'help', form: '', short: 'h', doc: 'This text.' };
export const JSON_FLAG: FlagSpec = { name: 'json', form: '', doc: 'JSON on stdout.' };
export const VERBOSE_FLAG: FlagSpec = { name: 'verbose', form: '', doc: 'Show stack traces.' };

/**
 * Reads a command's flags, or writes its help.
 *
 * @param usage first lines of the help.
 * @returns null when it was help that was asked for: the command is done.
 */
export function readFlags(
  context: CommandContext,
  usage: string,
  specs: readonly FlagSpec[],
): FlagValues | null {
  const all = [...specs, VERBOSE_FLAG, HELP_FLAG];
  if (context.argv.includes('--help') || context.argv.includes('-h')) {
    const lines = usage.split('\n').flatMap((line) => wrap(line, HELP_WIDTH));
    context.stdout.write(`${lines.join('\n')}\n\n${flagsHelp(all)}\n`);
    return null;
  }
  return parseFlags(context.argv, all);
}

/** @throws ConfigError `CONFIG_RANGE` for what is no integer in [min, max]. */
export function readInteger(
  flags: FlagValues,
  name: string,
  min: number,
  max = 4294967295,
): number | undefined {
  const text = flags.get(name);
  if (text === undefined) return undefined;
  const { schema, expects, parse } = integer({ min, max });
  const result = schema.safeParse(parse(text));
  if (result.success) return result.data;
  throw new ConfigError('CONFIG_RANGE', `Expected --${name} to be ${expects}, got ${showValue(text)}.`);
}
