/** What a learner on a cluster needs, as one zip: Operant, the project that one stands in, and the packages of both. */
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, sep } from 'node:path';
import { type Zippable, zipSync } from 'fflate';
import { ClusterError } from '../../errors.ts';
import { argumentsFor, filesIn, largestParts, mebibytes, projectRoot } from '../shipped-files.ts';
import { shipProject } from '../shipped-project.ts';
import { MAX_PACKAGE_BYTES } from './jobs-client.ts';

export interface JobPackage {
  /** By contents, as Ray names packages. */
  readonly name: string;
  readonly bytes: Uint8Array;
  /** The shell's command line that runs `operant ARGUMENTS` in the folder where one stands here. */
  entrypoint(argv: readonly string[]): string;
}

/** The same contents give the same bytes. */
const MTIME = new Date(1980, 0, 2);
const UNIX = 3;
/** Node looks a module up faster in a package that takes no longer to unpack. */
const LEVEL = 6;

/**
 * Cost: some seconds for 25 MB. Thread: any.
 *
 * @param workingDir the project; null = the folder of the nearest package.json above `cwd`.
 * @throws ClusterError `CLUSTER_PACKAGE_SIZE`; ConfigError `CONFIG_RAY_WORKING_DIR` when `cwd` is not in the project.
 */
export function packJob(workingDir: string | null, cwd: string = process.cwd()): JobPackage {
  const folder = mkdtempSync(join(tmpdir(), 'operant-job-'));
  try {
    const place = shipProject(folder, workingDir ?? projectRoot(cwd), cwd, '--working-dir');
    const bytes = zipFolder(folder);
    if (bytes.length > MAX_PACKAGE_BYTES)
      throw new ClusterError(
        'CLUSTER_PACKAGE_SIZE',
        `What would be sent has ${mebibytes(bytes.length)} compressed, and Ray takes ${mebibytes(MAX_PACKAGE_BYTES)}. The largest parts: ${largestParts(folder)}. Move what the run does not need out of the project, or name a smaller folder with --working-dir.`,
      );
    const name = `_ray_pkg_${createHash('sha1').update(bytes).digest('hex')}.zip`;
    return { name, bytes, entrypoint: (argv) => commandLine(place, argv) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function zipFolder(folder: string): Uint8Array {
  const files: Zippable = {};
  for (const path of filesIn(folder)) {
    const { mode } = statSync(join(folder, path));
    const name = path.replaceAll(sep, '/');
    files[name] = [
      readFileSync(join(folder, path)),
      { os: UNIX, attrs: ((0o100000 | (mode & 0o777)) << 16) >>> 0 },
    ];
  }
  return zipSync(files, { level: LEVEL, mtime: MTIME });
}

function commandLine(place: string, argv: readonly string[]): string {
  const node = argumentsFor('src/cli/main').map((argument) => {
    const path = argument.replace(/^\.\//, '');
    return argument.startsWith('--') ? argument : `"$OPERANT_JOB"/${quoted(path)}`;
  });
  return `OPERANT_JOB=$PWD; cd ${quoted(place)} && exec node ${[...node, ...argv.map(quoted)].join(' ')}`;
}

/** For a POSIX shell. */
function quoted(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
