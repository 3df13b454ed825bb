/**
 * A run folder on its way between two machines: the files that the other side has not got, and the names of those that are gone.
 *
 * A run goes on writing while its folder is read, so what is sent is what a kill at that moment would have left: the last checkpoint whole, and a log
 * at least as long as it.
 */
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { dirname, join, normalize, sep } from 'node:path';
import {
  asWriteError,
  errorCode,
  makeFolder,
  syncFolder,
  TEMPORARY_PREFIX,
  temporaryBeside,
  writeNewFile,
} from '../../files/durable-files.ts';
import { LOCK_NAME } from '../../run/run-lock.ts';

export interface RunParcel {
  /** Their bytes follow each other, in this order. Paths are relative to the run folder, with slashes. */
  readonly files: readonly { readonly path: string; readonly size: number }[];
  /** Paths that were there when the folder was last read, and are not any more. */
  readonly gone: readonly string[];
}

/** What a file was when it was last read or written: size, time, inode. By path. */
export type FileStamps = ReadonlyMap<string, string>;

const POINTERS = ['best', 'latest'];
const LATEST = 'latest';
const CHECKPOINT = /^checkpoints\/[^/]+\//;
/** A checkpoint may come while one reads; with one after the other, it is left for later. */
const MAX_READS = 5;

/**
 * Reads what has changed.
 *
 * @param known stamps of what the other side has. @returns null where the folder changed faster than it could be read.
 */
export async function readParcel(
  folder: string,
  known: FileStamps,
): Promise<{ readonly parcel: RunParcel; readonly body: Buffer; readonly stamps: FileStamps } | null> {
  for (let n = 0; n < MAX_READS; n++) {
    try {
      const latest = await readLatest(folder);
      const stamps = await stampsOf(folder);
      const paths = [...stamps.keys()].filter((path) => known.get(path) !== stamps.get(path));
      const contents = await Promise.all(paths.map((path) => readFile(join(folder, path))));
      if (latest !== (await readLatest(folder))) continue;
      const files = paths.map((path, k) => ({ path, size: contents[k].length }));
      const gone = [...known.keys()].filter((path) => !stamps.has(path));
      return { parcel: { files, gone }, body: Buffer.concat(contents), stamps };
    } catch (error) {
      if (errorCode(error) !== 'ENOENT') throw error; // a checkpoint made room for another
    }
  }
  return null;
}

/** The pointer to the last checkpoint; null = there is none yet. */
export async function readLatest(folder: string): Promise<string | null> {
  return readFile(join(folder, LATEST), 'utf8').catch(() => null);
}

/** Of everything in a run folder but its lock and what is half written; none of a folder that is not there. */
export async function stampsOf(folder: string): Promise<FileStamps> {
  const stamps = new Map<string, string>();
  const look = async (below: string): Promise<void> => {
    for (const entry of await readdir(join(folder, below), { withFileTypes: true })) {
      const { name } = entry;
      const path = below === '' ? name : `${below}/${name}`;
      if (name.startsWith(TEMPORARY_PREFIX) || path === LOCK_NAME) continue;
      if (entry.isDirectory()) await look(path);
      else if (entry.isFile()) {
        const { size, mtimeMs, ino } = await stat(join(folder, path));
        stamps.set(path, `${size} ${mtimeMs} ${ino}`);
      }
    }
  };
  if (existsSync(folder)) await look('');
  return stamps;
}

/**
 * Writes a parcel into a run folder, which a kill leaves with the checkpoint that it had or the one that came: checkpoints appear whole, pointers change after
 * them, and what is gone goes last.
 *
 * @throws CheckpointError as any write of a run. RangeError for a path that leads out of the folder.
 */
export async function writeParcel(folder: string, { files, gone }: RunParcel, body: Buffer): Promise<void> {
  const parts = partsOf(files, body);
  try {
    await makeFolder(folder);
    const others: Part[] = [];
    const checkpoints = new Map<string, Part[]>();
    for (const part of parts) {
      const name = CHECKPOINT.exec(part.path)?.[0].slice(0, -1);
      if (name === undefined) others.push(part);
      else checkpoints.set(name, [...(checkpoints.get(name) ?? []), part]);
    }
    for (const [name, own] of checkpoints) await writeCheckpoint(folder, name, own);
    const isPointer = ({ path }: Part) => POINTERS.includes(path);
    for (const part of [...others.filter((each) => !isPointer(each)), ...others.filter(isPointer)])
      await replaceFile(join(folder, part.path), part.bytes);
    for (const path of gone) await removeFile(folder, path);
  } catch (error) {
    throw asWriteError(error, folder);
  }
}

interface Part {
  readonly path: string;
  readonly bytes: Buffer;
}

function partsOf(files: RunParcel['files'], body: Buffer): Part[] {
  let at = 0;
  return files.map(({ path, size }) => {
    requireInside(path);
    at += size;
    return { path, bytes: body.subarray(at - size, at) };
  });
}

function requireInside(path: string): void {
  const plain = normalize(path);
  if (plain.startsWith('..') || plain.startsWith(sep))
    throw new RangeError(`\`${path}\` is not in a run folder.`);
}

async function writeCheckpoint(folder: string, name: string, parts: readonly Part[]): Promise<void> {
  const target = join(folder, name);
  const temporary = temporaryBeside(target);
  for (const { path, bytes } of parts) {
    const file = join(temporary, path.slice(name.length + 1));
    await mkdir(dirname(file), { recursive: true });
    await writeNewFile(file, [bytes]);
  }
  await rm(target, { recursive: true, force: true }); // of an attempt that was lost
  await rename(temporary, target);
  await syncFolder(dirname(target));
}

async function replaceFile(path: string, bytes: Buffer): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const temporary = temporaryBeside(path);
  await writeNewFile(temporary, [bytes]);
  await rename(temporary, path);
  await syncFolder(dirname(path));
}

/** And the folders that are empty then. */
async function removeFile(folder: string, path: string): Promise<void> {
  requireInside(path);
  await rm(join(folder, path), { force: true });
  for (let above = dirname(path); above !== '.'; above = dirname(above)) {
    const left = await readdir(join(folder, above)).catch(() => []);
    if (left.length > 0) return;
    await rm(join(folder, above), { recursive: true, force: true });
  }
}
