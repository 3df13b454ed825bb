/** What launch files are written from. */

/** Ray that the images of this repository hold, and that is tested. */
export const RAY_VERSION = '2.60.0';

export interface LaunchOptions {
  /** Of the run and everything that is made for it: lower case letters, digits and `-`. */
  readonly name: string;
  /** Arguments of `operant`; empty = a cluster alone, to which jobs are sent. */
  readonly command: readonly string[];
  readonly image: string;
  readonly numHosts: number;
  /** From here on; null = always `numHosts`. */
  readonly maxHosts: number | null;
  readonly cpusPerHost: number;
  readonly memoryGiB: number;
  readonly gpus: number;
  /** What `runs` is on: a PersistentVolumeClaim, a folder on a shared file system. */
  readonly runs: string;
}

/** As a double-quoted scalar of YAML, of which JSON's are a part. */
export const quoted = (value: string | number) => JSON.stringify(String(value));

/** For a POSIX shell. */
export function shellQuoted(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}

/** `operant train ...` with what a run on a cluster needs besides. */
export function commandLine(
  command: readonly string[],
  { name, numHosts, cpusPerHost }: LaunchOptions,
  folder: string,
): string {
  const has = (flag: string) =>
    command.some((argument) => argument === `--${flag}` || argument.startsWith(`--${flag}=`));
  const added = (flag: string, value: string | number) => (has(flag) ? [] : [`--${flag}`, String(value)]);
  const more =
    command[0] === 'train'
      ? [
          ...added('runners', 'ray'),
          ...added('ray-address', 'auto'),
          ...added('num-rollout-hosts', numHosts),
          ...added('num-env-runners', cpusPerHost),
          ...added('out', `${folder}/${name}`),
        ]
      : [];
  return ['operant', ...command, ...more].map(shellQuoted).join(' ');
}
