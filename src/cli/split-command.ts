/** A command line with another one behind `--`. */

export function splitCommand(argv: readonly string[]): {
  readonly own: readonly string[];
  readonly command: readonly string[];
} {
  const at = argv.indexOf('--');
  return at < 0 ? { own: argv, command: [] } : { own: argv.slice(0, at), command: argv.slice(at + 1) };
}
