/** Files that are wholly there or not at all: written beside, synced to the disk, renamed into place. */
import { createHash, randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, open, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { CheckpointError, isOperantError } from '../errors.ts';
import { openFilesHint } from './open-files.ts';

/** Everything that starts with this is the leftover of a killed process; the next owner of the folder removes it. */
export const TEMPORARY_PREFIX = '.tmp-';

/** A path beside `path` that nobody else uses. */
export function temporaryBeside(path: string): string {
  return join(
    dirname(path),
    `${TEMPORARY_PREFIX}${basename(path)}-${process.pid}-${randomUUID().slice(0, 8)}`,
  );
}

export interface WrittenFile {
  readonly size: number;
  /** Lower-case hexadecimal. */
  readonly sha256: string;
}

/** Writes a new file piece by piece, syncs it, and returns its size and checksum. The file must not exist. */
export async function writeNewFile(path: string, pieces: readonly Uint8Array[]): Promise<WrittenFile> {
  const hash = createHash('sha256');
  let size = 0;
  const file = await open(path, 'wx');
  try {
    for (const piece of pieces) {
      hash.update(piece);
      size += piece.byteLength;
      // FileHandle.writeFile loops over short writes.
      await file.writeFile(piece);
    }
    await file.sync();
  } finally {
    await file.close();
  }
  return { size, sha256: hash.digest('hex') };
}

/** Makes the names in a folder durable. Windows has no such call, and some file systems refuse it. */
export async function syncFolder(path: string): Promise<void> {
  if (process.platform === 'win32') return;
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } catch (error) {
    const code = errorCode(error);
    if (code !== 'EINVAL' && code !== 'EPERM' && code !== 'ENOTSUP') throw error;
  } finally {
    await folder.close();
  }
}

/** Replaces a small text file: a reader sees the old text or the new one, also after a power failure. */
export async function replaceTextFile(path: string, text: string): Promise<void> {
  const temporary = temporaryBeside(path);
  try {
    await writeNewFile(temporary, [new TextEncoder().encode(text)]);
    await rename(temporary, path);
    await syncFolder(dirname(path));
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined);
    throw asWriteError(error, path);
  }
}

/** Creates a folder and those above it. */
export async function makeFolder(path: string): Promise<void> {
  try {
    await makeFolders(path);
  } catch (error) {
    throw asWriteError(error, path);
  }
}

/**
 * The same with the system's own error. One folder after the other: Node's recursive mkdir never comes back from a file system that
 * refuses new folders by ENOENT (/proc), and says ENOENT on a read-only one.
 */
export async function makeFolders(path: string): Promise<void> {
  const parent = dirname(path);
  if (parent !== path && !existsSync(parent)) await makeFolders(parent);
  try {
    await mkdir(path);
  } catch (error) {
    const isThere = await stat(path).then(
      (found) => found.isDirectory(),
      () => false,
    );
    if (!isThere) throw error;
  }
}

/** Turns a failed write into a CheckpointError that says which path, why, and what to do. */
export function asWriteError(error: unknown, path: string): Error {
  if (isOperantError(error)) return error;
  const code = errorCode(error);
  if (code === 'ENOSPC' || code === 'EDQUOT' || code === 'EFBIG') {
    const message = `No space left to write \`${path}\` (${code}). Free some, lower \`keepCheckpoints\`, or choose another folder; what was there before is untouched`;
    return new CheckpointError('CHECKPOINT_DISK_FULL', message, { cause: error });
  }
  if (['EACCES', 'EPERM', 'EROFS', 'ENOTDIR', 'EEXIST'].includes(code ?? '')) {
    const message = `Cannot write \`${path}\` (${code}). Make the folder writable or choose another one`;
    return new CheckpointError('CHECKPOINT_NOT_WRITABLE', message, { cause: error });
  }
  const reason = openFilesHint(code) ?? (error instanceof Error ? error.message : String(error));
  return new CheckpointError('CHECKPOINT_WRITE', `Cannot write \`${path}\`: ${reason}`, { cause: error });
}

/** The operating system's code of an error, such as `ENOENT`; undefined for other errors. */
export function errorCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}
