/** The folder that a run leaves: config, logs, numbered checkpoints, and the pointers `latest` and `best`. */
import { existsSync } from 'node:fs';
import { readdir, rename, rm, rmdir, writeFile } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import type { CheckpointContent } from '../checkpoint/content.ts';
import {
  checkpointName,
  listCheckpoints,
  loadManifest,
  pointedIteration,
} from '../checkpoint/load-checkpoint.ts';
import { saveCheckpoint } from '../checkpoint/save-checkpoint.ts';
import { type ManifestFile, SEGMENTS_FOLDER, SHARED_SEGMENTS_FOLDER } from '../checkpoint/segment-file.ts';
import { createSegmentStore } from '../checkpoint/segment-store.ts';
import { CheckpointError, ConfigError } from '../errors.ts';
import {
  errorCode,
  makeFolder,
  makeFolders,
  replaceTextFile,
  TEMPORARY_PREFIX,
  temporaryBeside,
} from '../files/durable-files.ts';
import { checkOwnFolder, readRegularText } from '../files/regular-file.ts';
import type { JsonObject } from '../json.ts';
import { asFolderError } from './fresh-folder.ts';
import { LOCK_NAME, type RunLock, takeRunLock } from './run-lock.ts';

export type PointerName = 'latest' | 'best';

/** A run folder that this process owns until {@link RunFolder.close}. */
export interface RunFolder {
  /** Absolute path. */
  readonly path: string;
  /** Segments that need not be given to {@link RunFolder.save} again. */
  readonly storedSegments: ReadonlySet<string>;
  /**
   * Saves `checkpoints/NNNNNN` and points `latest` (and `best`, if asked) at it. The number must be new.
   *
   * @throws CheckpointError as {@link saveCheckpoint}; `CHECKPOINT_LOCKED` when another process has taken the folder.
   */
  save(iteration: number, content: CheckpointContent, isBest: boolean): Promise<string>;
  /**
   * Deletes all but the last `keep` checkpoints and those that a pointer names, and the segments that no checkpoint names any more
   * (those in `superseded/` count). Returns the numbers deleted.
   *
   * @throws CheckpointError as `loadManifest`, when it cannot be known which segments are in use: then none is deleted.
   */
  retain(keep: number): Promise<number[]>;
  /**
   * Makes `iteration` the newest and `best` the best, as they were when that checkpoint was written: later ones move to
   * `superseded/` (replacing what moved there before), and a pointer whose checkpoint is not there is removed.
   * Returns the numbers moved.
   */
  rewind(iteration: number, best: number | null): Promise<number[]>;
  /** The number of the checkpoint that a pointer names; null without one. */
  readPointer(name: PointerName): Promise<number | null>;
  /** @throws CheckpointError `CHECKPOINT_LOCKED` once another process has taken the folder: then nothing may be written to it. */
  check(): void;
  /** Releases the lock. The folder stays. */
  close(): Promise<void>;
}

/**
 * Creates the folder of a new run and takes its lock.
 *
 * @param config what `config.json` gets.
 * @throws ConfigError `CONFIG_OUT_EXISTS` when there is something in it, `CONFIG_OUT_NOT_WRITABLE`; CheckpointError
 *   `CHECKPOINT_LOCKED` when another process is creating the same one, `CHECKPOINT_DISK_FULL`.
 */
export async function createRunFolder(path: string, config: JsonObject): Promise<RunFolder> {
  const folder = resolve(path);
  const isNew = !existsSync(folder);
  try {
    await makeFolders(folder);
    await checkEmpty(folder);
    await probeWritable(folder);
  } catch (error) {
    if (isNew) await rmdir(folder).catch(() => undefined);
    throw asFolderError(error, folder);
  }
  const lock = await takeRunLock(folder);
  try {
    // Again, now that nobody else can: another process may have filled it since.
    await checkEmpty(folder);
    await writeConfig(folder, config);
    await makeFolder(join(folder, 'checkpoints'));
  } catch (error) {
    await lock.release();
    throw error;
  }
  return ownedFolder(folder, lock);
}

/**
 * Opens the folder of an earlier run to go on with it: takes the lock and removes what killed saves left (`.tmp-*`).
 *
 * @throws CheckpointError `CHECKPOINT_NOT_FOUND` when there is no run folder, `CHECKPOINT_NOT_REGULAR` when `checkpoints`,
 *   `superseded` or `segments` in it is a link to somewhere else, `CHECKPOINT_LOCKED`, `CHECKPOINT_NOT_WRITABLE`.
 */
export async function openRunFolder(path: string): Promise<RunFolder> {
  const folder = resolve(path);
  if (!existsSync(join(folder, 'config.json')) || !existsSync(join(folder, 'checkpoints'))) {
    const message = `\`${folder}\` is not a run folder: expected \`config.json\` and \`checkpoints/\` in it`;
    throw new CheckpointError('CHECKPOINT_NOT_FOUND', message);
  }
  for (const name of ['checkpoints', 'superseded', SEGMENTS_FOLDER]) {
    await checkOwnFolder(join(folder, name)).catch((error: unknown) => {
      if (errorCode(error) !== 'ENOENT') throw error;
    });
  }
  const lock = await takeRunLock(folder);
  await removeLeftovers(folder);
  await removeLeftovers(join(folder, 'checkpoints'));
  await removeLeftovers(join(folder, SEGMENTS_FOLDER));
  return ownedFolder(folder, lock);
}

/**
 * Opens the folder of a run that was killed before its first checkpoint, to begin it anew.
 *
 * @param config what `config.json` gets. @throws as {@link openRunFolder}.
 */
export async function reopenRunFolder(path: string, config: JsonObject): Promise<RunFolder> {
  await makeFolder(join(resolve(path), 'checkpoints'));
  const folder = await openRunFolder(path);
  try {
    await writeConfig(folder.path, config);
    return folder;
  } catch (error) {
    await folder.close();
    throw error;
  }
}

function writeConfig(folder: string, config: JsonObject): Promise<void> {
  return replaceTextFile(join(folder, 'config.json'), `${JSON.stringify(config, null, 2)}\n`);
}

/** The run folder that a checkpoint's path lies in; null for a checkpoint that was saved somewhere else. */
export function runFolderOf(checkpointPath: string): string | null {
  const checkpoints = dirname(resolve(checkpointPath));
  const folder = dirname(checkpoints);
  const isInside = basename(checkpoints) === 'checkpoints' && existsSync(join(folder, 'config.json'));
  return isInside ? folder : null;
}

function ownedFolder(path: string, lock: RunLock): RunFolder {
  const checkpoints = join(path, 'checkpoints');
  const written = new Set<number>();
  const store = createSegmentStore(join(path, SEGMENTS_FOLDER));
  const pathOf = (iteration: number) => join(checkpoints, checkpointName(iteration));
  const point = (name: PointerName, iteration: number) =>
    replaceTextFile(join(path, name), `checkpoints/${checkpointName(iteration)}\n`);
  const readPointer = (name: PointerName) => readPointerFile(path, name);
  const restore = async (name: PointerName, iteration: number | null) => {
    if ((await readPointer(name)) === iteration) return;
    if (iteration !== null && existsSync(pathOf(iteration))) await point(name, iteration);
    else await rm(join(path, name), { force: true });
  };
  return {
    path,
    storedSegments: store.stored,
    save: async (iteration, content, isBest) => {
      lock.check();
      // Again after a failure to point at it: then it is already there.
      const target = pathOf(iteration);
      if (!written.has(iteration)) await saveCheckpoint(target, content, store);
      written.add(iteration);
      await point('latest', iteration);
      if (isBest) await point('best', iteration);
      return target;
    },
    retain: async (keep) => {
      lock.check();
      const numbers = (await listCheckpoints(checkpoints)).map(Number);
      const kept = new Set([...numbers.slice(-keep), await readPointer('latest'), await readPointer('best')]);
      const deleted = numbers.filter((number) => !kept.has(number));
      for (const number of deleted) {
        await removeWhole(pathOf(number));
        written.delete(number);
      }
      if (existsSync(store.path)) await store.removeUnused(await usedSegments(path));
      return deleted;
    },
    rewind: async (iteration, best) => {
      lock.check();
      await restore('latest', iteration);
      await restore('best', best);
      if (existsSync(pathOf(iteration))) {
        store.adopt(await sharedSegments(pathOf(iteration)));
        written.add(iteration); // the run goes on from it: to save it again is to point at it
      }
      const later = (await listCheckpoints(checkpoints)).map(Number).filter((number) => number > iteration);
      if (later.length > 0) await makeFolder(join(path, 'superseded'));
      for (const number of later)
        await moveAside(pathOf(number), join(path, 'superseded', checkpointName(number)));
      return later;
    },
    readPointer,
    check: lock.check,
    close: () => lock.release(),
  };
}

async function readPointerFile(folder: string, name: PointerName): Promise<number | null> {
  return pointedIteration(await readRegularText(folder, name, 4096).catch(() => ''));
}

/** Renamed first: a folder that is half deleted must not bear a checkpoint's name. */
async function removeWhole(path: string): Promise<void> {
  const aside = temporaryBeside(path);
  await rename(path, aside);
  await rm(aside, { recursive: true, force: true }).catch((error: unknown) => {
    // NFS keeps a removed file, and with it the folder, for whoever has it open here: the next owner removes it.
    if (errorCode(error) !== 'ENOTEMPTY' && errorCode(error) !== 'EBUSY') throw error;
  });
}

async function moveAside(path: string, target: string): Promise<void> {
  await rm(target, { recursive: true, force: true });
  await rename(path, target);
}

/** The segments that a checkpoint shares with others. */
async function sharedSegments(checkpoint: string): Promise<Readonly<Record<string, ManifestFile>>> {
  const { segments } = (await loadManifest(checkpoint)).manifest;
  return segments?.folder === SHARED_SEGMENTS_FOLDER ? segments.files : {};
}

async function usedSegments(path: string): Promise<Set<string>> {
  const used = new Set<string>();
  for (const folder of [join(path, 'checkpoints'), join(path, 'superseded')]) {
    for (const name of await listCheckpoints(folder)) {
      for (const segment of Object.keys(await sharedSegments(join(folder, name)))) used.add(segment);
    }
  }
  return used;
}

async function removeLeftovers(folder: string): Promise<void> {
  if (!existsSync(folder)) return;
  const names = (await readdir(folder)).filter((name) => name.startsWith(TEMPORARY_PREFIX));
  await Promise.all(names.map((name) => rm(join(folder, name), { recursive: true, force: true })));
}

async function probeWritable(folder: string): Promise<void> {
  const path = temporaryBeside(join(folder, 'probe'));
  await writeFile(path, '');
  await rm(path, { force: true });
}

async function checkEmpty(folder: string): Promise<void> {
  const names = await readdir(folder);
  // A killed start leaves nothing but its lock or a probe, and the lock's own rules decide about it.
  if (names.every((name) => name === LOCK_NAME || name.startsWith(TEMPORARY_PREFIX))) return;
  throw new ConfigError(
    'CONFIG_OUT_EXISTS',
    `Expected \`--out ${folder}\` to be new or empty, but it holds ${names.length} entries (${names.slice(0, 3).join(', ')}${names.length > 3 ? ', ...' : ''}). ` +
      'Choose another folder, or continue that run with `--resume`',
  );
}
