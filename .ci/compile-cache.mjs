/**
 * tsx keeps what it has compiled in a folder of the temporary directory whose name anybody can guess (`tsx-1000`), and runs what it
 * finds there. Importing this makes that folder ours alone (0700), or else switches the cache off for this process and its children.
 */
import { lstatSync, mkdirSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const GROUP_OR_OTHERS_WRITE = 0o022;
const STICKY = 0o1000;

/** Whether nobody but `uid` (and root) can put files into `folder`, or another folder in its place. Makes it when it is missing. */
export function isPrivateFolder(folder, uid) {
  try {
    mkdirSync(folder, { mode: 0o700 });
  } catch {
    // it is there, or cannot be made, which the next lines find
  }
  try {
    const own = lstatSync(folder);
    const parent = statSync(join(folder, '..'));
    const isParentSafe = (parent.mode & GROUP_OR_OTHERS_WRITE) === 0 || (parent.mode & STICKY) !== 0;
    return own.isDirectory() && own.uid === uid && (own.mode & GROUP_OR_OTHERS_WRITE) === 0 && isParentSafe;
  } catch {
    return false;
  }
}

const uid = process.geteuid?.(); // Windows has none, and a temporary directory for each user
if (uid !== undefined && !isPrivateFolder(join(tmpdir(), `tsx-${uid}`), uid))
  process.env.TSX_DISABLE_CACHE = '1';

/** Vitest's global setup: importing is enough. */
export function setup() {}
