/** Parts a command line between two commands that share it. */
import { type FlagSpec, type FlagValues, parseFlags } from './flags.ts';

/** @returns the values of `specs`, and all other arguments as they were. @throws ConfigError as {@link parseFlags}. */
export function splitFlags(
  argv: readonly string[],
  specs: readonly FlagSpec[],
): { readonly values: FlagValues; readonly rest: readonly string[] } {
  const own: string[] = [];
  const rest: string[] = [];
  for (let k = 0; k < argv.length; k++) {
    const [head] = argv[k].split('=', 1);
    const spec = specs.find(
      ({ name, form }) => head === `--${name}` || (form === '' && head === `--no-${name}`),
    );
    if (spec === undefined) {
      rest.push(argv[k]);
      continue;
    }
    own.push(argv[k]);
    const hasValueBehind =
      spec.form !== '' && !argv[k].includes('=') && k + 1 < argv.length && !argv[k + 1].startsWith('--');
    if (hasValueBehind) own.push(argv[++k]);
  }
  return { values: parseFlags(own, specs), rest };
}
