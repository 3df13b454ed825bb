/** A flag for every option of an algorithm. */
import { type Declarations, flagName, listOptions } from '../config/option.ts';
import { ConfigError } from '../errors.ts';
import type { FlagSpec, FlagValues } from './flags.ts';

/** Flags in declaration order, grouped by section; the doc ends with unit and default. */
export function optionFlags(declarations: Declarations): readonly FlagSpec[] {
  return listOptions(declarations).map(({ section, name, option }) => ({
    name: flagName(name),
    form: option.kind.flagForm,
    doc: `${option.doc}${option.unit === undefined ? '' : ` (${option.unit})`} [${defaultText(option.default)}]`,
    group: section,
    ...(option.alsoCalled === undefined ? {} : { alsoCalled: option.alsoCalled }),
  }));
}

/** A default as one would type it behind the flag. */
export function defaultText(value: unknown): string {
  if (value === null) return 'none';
  if (value === '') return 'required';
  if (Array.isArray(value)) return value.join(',');
  if (typeof value === 'number') return String(Number(value.toPrecision(6)));
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

/** The config by section that the given flags describe; values are candidates, to be checked like any other source. */
export function configFromFlags(
  declarations: Declarations,
  values: FlagValues,
): Record<string, Record<string, unknown>> {
  const config: Record<string, Record<string, unknown>> = {};
  for (const { section, name, option } of listOptions(declarations)) {
    const text = values.get(flagName(name));
    if (text === undefined) continue;
    config[section] ??= {};
    config[section][name] = parseFlag(flagName(name), option.kind.parse, text);
  }
  return config;
}

/** @throws ConfigError `CONFIG_FLAG` naming the flag, for JSON with a key twice. */
export function parseFlag(name: string, parse: (text: string) => unknown, text: string): unknown {
  try {
    return parse(text);
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause;
    throw new ConfigError('CONFIG_FLAG', `The JSON of --${name} is wrong: ${cause.message}.`, { cause });
  }
}
