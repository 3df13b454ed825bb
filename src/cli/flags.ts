/** Reads flags: names, values and mistakes, without knowing what they mean. */
import { parseArgs } from 'node:util';
import { whyAbsent } from '../config/absent-options.ts';
import { nearestName, plain } from '../config/nearest.ts';
import { type Problem, throwProblems } from '../config/problems.ts';

/** One flag, as `--help` shows it. */
export interface FlagSpec {
  /** Without dashes: `num-envs`. */
  readonly name: string;
  /** What stands behind it, `<integer>`; empty for a switch, which also has `--no-name` and `--name=false`. */
  readonly form: string;
  readonly doc: string;
  /** One letter, without its dash. */
  readonly short?: string;
  /** Heading in `--help`. */
  readonly group?: string;
  /** Other names that a person may try; found by "did you mean" only. */
  readonly alsoCalled?: readonly string[];
}

/** Text by flag name, as given; switches are 'true' or 'false'. When a flag is repeated, the last one counts. */
export type FlagValues = ReadonlyMap<string, string>;

/**
 * Reads a command's arguments.
 *
 * A value may begin with one dash (`--stop-return -200`), never with two. `--` is not special.
 *
 * @param elsewhere who has flags that are not among these, for the message.
 * @throws ConfigError `CONFIG_UNKNOWN` for an unknown flag, with the nearest known one; `CONFIG_TYPE` for a missing or a
 *   superfluous value, or an argument that belongs to no flag. All of them, one line each.
 */
export function parseFlags(
  argv: readonly string[],
  specs: readonly FlagSpec[],
  elsewhere: ReadonlyMap<string, readonly string[]> = new Map(),
): FlagValues {
  const options = Object.fromEntries(
    specs.flatMap(({ name, form, short }) => {
      const type = form === '' ? ('boolean' as const) : ('string' as const);
      const entry = [name, short === undefined ? { type } : { type, short }] as const;
      return form === '' ? [entry, [`no-${name}`, { type }] as const] : [entry];
    }),
  );
  const { tokens } = parseArgs({
    args: [...argv],
    options,
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  const byName = new Map(specs.map((spec) => [spec.name, spec]));
  const values = new Map<string, string>();
  const problems: Problem[] = [];
  let follower: string | undefined; // the unknown flag whose value the next argument probably is
  for (const token of tokens) {
    if (token.kind === 'positional' && follower === undefined) problems.push(superfluous(token.value));
    if (token.kind !== 'option') {
      follower = undefined;
      continue;
    }
    const isNegated = !byName.has(token.name) && token.name.startsWith('no-');
    const spec = byName.get(isNegated ? token.name.slice(3) : token.name);
    const isKnown = spec !== undefined && !(isNegated && spec.form !== '');
    follower = isKnown ? undefined : token.rawName;
    const result = isKnown ? readValue(spec, token, isNegated) : unknownFlag(token.rawName, specs, elsewhere);
    if (typeof result === 'string') values.set(spec?.name ?? '', result);
    else problems.push(result);
  }
  throwProblems(problems);
  return values;
}

interface OptionToken {
  readonly rawName: string;
  readonly value?: string | undefined;
  readonly inlineValue?: boolean | undefined;
}

function readValue(spec: FlagSpec, token: OptionToken, isNegated: boolean): string | Problem {
  const { value } = token;
  if (spec.form === '') {
    if (value === undefined) return isNegated ? 'false' : 'true';
    if (!isNegated && (value === 'true' || value === 'false')) return value;
    return {
      code: 'CONFIG_TYPE',
      message: `${token.rawName} is a switch and takes no value, got \`${value}\`: write --${spec.name} or --no-${spec.name}.`,
    };
  }
  if (value === undefined || (token.inlineValue !== true && value.startsWith('--'))) {
    return { code: 'CONFIG_TYPE', message: `${token.rawName} needs a value: ${token.rawName} ${spec.form}.` };
  }
  return value;
}

function superfluous(argument: string): Problem {
  const hint = argument === '--' ? '' : ` Values belong to flags, such as --env ${argument}.`;
  return { code: 'CONFIG_TYPE', message: `Unexpected argument \`${argument}\`.${hint}` };
}

function unknownFlag(
  rawName: string,
  specs: readonly FlagSpec[],
  elsewhere: ReadonlyMap<string, readonly string[]>,
): Problem {
  const given = rawName.replace(/^-+/, '');
  const owners = elsewhere.get(given) ?? elsewhere.get(given.replace(/^no-/, ''));
  if (owners !== undefined) {
    const message = `Unknown flag ${rawName}: it is of other algorithms (${owners.join(', ')}).`;
    return { code: 'CONFIG_UNKNOWN', message };
  }
  const same = specs.find(({ name, alsoCalled }) =>
    [name, ...(alsoCalled ?? [])].some((known) => plain(known) === plain(given)),
  );
  const negated = given.startsWith('no-') ? 'no-' : '';
  const near =
    same?.name ??
    nearestName(
      given.slice(negated.length),
      specs.filter(({ form }) => negated === '' || form === '').map(({ name }) => name),
    );
  const meant =
    near === undefined
      ? '--help lists the flags.'
      : `Did you mean --${same === undefined ? negated : ''}${near}?`;
  const hint = whyAbsent(given) ?? meant;
  return { code: 'CONFIG_UNKNOWN', message: `Unknown flag ${rawName}. ${hint}` };
}

/** The value of one flag before the rest can be read, since it decides which flags there are; undefined without it. */
export function peekFlag(argv: readonly string[], name: string): string | undefined {
  const at = argv.lastIndexOf(`--${name}`);
  const inline = argv.findLast((argument) => argument.startsWith(`--${name}=`));
  if (inline !== undefined && argv.lastIndexOf(inline) > at) return inline.slice(name.length + 3);
  const value = at < 0 ? undefined : argv[at + 1];
  return value?.startsWith('--') ? undefined : value;
}
