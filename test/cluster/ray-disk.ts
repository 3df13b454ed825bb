/** A folder for each node of one machine, as machines have disks of their own: in one folder, each node would remove what another has unpacked, and unpack it anew. */
import { existsSync, mkdirSync, readlinkSync } from 'node:fs';
import { basename, join } from 'node:path';

export interface Disk {
  /** Of `ray start`. */
  readonly args: readonly string[];
  /** What runs `ray start` where it has this folder. */
  readonly place: readonly string[];
}

/** The first version here that takes `--temp-dir` for each node (2.54 gives all the head's). */
const TAKES_FOLDERS = [2, 60];

/** @param own folder of the node, within `folder` of the head. Before 2.60 the node sees it in the head's place, which needs root. */
export function diskOf(version: string, own: string, folder: string): Disk {
  const [major, minor] = version.split('.').map(Number);
  if (major > TAKES_FOLDERS[0] || (major === TAKES_FOLDERS[0] && minor >= TAKES_FOLDERS[1]))
    return { args: ['--temp-dir', own], place: [] };
  mkdirSync(own);
  const mounted = 'mount --bind "$0" "$1" && shift && exec "$@"';
  return { args: [], place: ['unshare', '--mount', 'bash', '-c', mounted, own, folder] };
}

/** By node: of the head, and of so many others that have been started; one that came to nothing has none. */
export function logFolders(folder: string, numStarted: number): ReadonlyMap<string, string> {
  const others = Array.from({ length: numStarted }, (_, k) => [`${k}`, join(folder, `${k}`)] as const);
  const sessions = [['head', folder] as const, ...others].filter(([, path]) => existsSync(latest(path)));
  // By its name, since the link's path is that which the node sees.
  return new Map(
    sessions.map(([name, path]) => [name, join(path, basename(readlinkSync(latest(path))), 'logs')]),
  );
}

const latest = (folder: string) => join(folder, 'session_latest');
