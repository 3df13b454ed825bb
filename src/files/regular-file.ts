/**
 * Files of a folder that may come from somebody else: regular ones only, reached through no link, and no larger than the caller
 * expects. A name that is a device, a pipe or a link elsewhere is refused before a byte is read or written.
 */
import { closeSync, constants, fstatSync, lstatSync, openSync } from 'node:fs';
import { type FileHandle, lstat, open } from 'node:fs/promises';
import { join } from 'node:path';
import { CheckpointError } from '../errors.ts';

// Windows has neither flag. Without O_NONBLOCK, opening a pipe waits for somebody at its other end.
const UNLINKED = (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);

/** More than a run's logs of months; a sparse file can claim any size. */
const MAX_LOG_BYTES = 2 ** 31;
/** One system call reads no more than 2 GiB. */
const PIECE_BYTES = 2 ** 30;

/**
 * Opens a regular file for reading.
 *
 * @param name path below `folder` with forward slashes; no part of it may be a link. `folder` itself may be reached through one.
 * @param checkSize is given the size before anything is read; throws to refuse it.
 * @returns the file, which the caller closes, and its size in bytes.
 * @throws CheckpointError `CHECKPOINT_NOT_REGULAR`; what `checkSize` throws; the system's error (`ENOENT`, ...).
 */
export async function openRegularFile(
  folder: string,
  name: string,
  checkSize: (size: number) => void,
): Promise<{ readonly file: FileHandle; readonly size: number }> {
  await checkFoldersAbove(folder, name);
  const path = join(folder, name);
  const file = await open(path, constants.O_RDONLY | UNLINKED).catch((error: unknown) => {
    throw isLinkError(error) ? notRegular(path, 'a link') : error;
  });
  try {
    const info = await file.stat();
    // Where links cannot be refused while opening (Windows), they are looked for.
    if (!info.isFile() || (await lstat(path)).isSymbolicLink()) throw notRegular(path, kindOf(info));
    checkSize(info.size);
    return { file, size: info.size };
  } catch (error) {
    await file.close();
    throw error;
  }
}

/** As {@link openRegularFile}, read wholly. */
export async function readRegularFile(
  folder: string,
  name: string,
  checkSize: (size: number) => void,
): Promise<Buffer> {
  const { file, size } = await openRegularFile(folder, name, checkSize);
  return readWhole(file, size).finally(() => file.close());
}

/** As {@link readRegularFile}, as text of at most `maxBytes`. @throws CheckpointError `CHECKPOINT_TOO_LARGE`, too. */
export async function readRegularText(folder: string, name: string, maxBytes: number): Promise<string> {
  const bytes = await readRegularFile(folder, name, (size) => {
    if (size > maxBytes) throw tooLarge(join(folder, name), size, maxBytes);
  });
  return bytes.toString('utf8');
}

async function readWhole(file: FileHandle, size: number): Promise<Buffer> {
  const bytes = Buffer.allocUnsafe(size);
  let done = 0;
  while (done < size) {
    const { bytesRead } = await file.read(bytes, done, Math.min(size - done, PIECE_BYTES), done);
    if (bytesRead === 0) break; // cut short meanwhile
    done += bytesRead;
  }
  return bytes.subarray(0, done);
}

/** Every folder on the way from `folder` to the file has to be one. */
async function checkFoldersAbove(folder: string, name: string): Promise<void> {
  const parts = name.split('/').slice(0, -1);
  for (let k = 1; k <= parts.length; k++) await checkOwnFolder(join(folder, ...parts.slice(0, k)));
}

/**
 * A folder inside a run folder: one of its own, and no link to another.
 *
 * @throws CheckpointError `CHECKPOINT_NOT_REGULAR`; the system's error when nothing is there.
 */
export async function checkOwnFolder(path: string): Promise<void> {
  const info = await lstat(path);
  if (!info.isDirectory()) throw notRegular(path, kindOf(info), 'a folder');
}

/**
 * Opens a regular file for reading and writing, and makes it when it is not there. Thread: blocks.
 *
 * @returns the descriptor and the file's size in bytes.
 * @throws CheckpointError `CHECKPOINT_NOT_REGULAR`, `CHECKPOINT_TOO_LARGE` above 2 GiB.
 */
export function openRegularFileSync(path: string): { readonly descriptor: number; readonly size: number } {
  const descriptor = openUnlinkedSync(path);
  const info = fstatSync(descriptor);
  if (info.isFile() && info.size <= MAX_LOG_BYTES && !lstatSync(path).isSymbolicLink()) {
    return { descriptor, size: info.size };
  }
  closeSync(descriptor);
  if (info.isFile() && info.size > MAX_LOG_BYTES) throw tooLarge(path, info.size, MAX_LOG_BYTES);
  throw notRegular(path, kindOf(info));
}

function openUnlinkedSync(path: string): number {
  try {
    return openSync(path, constants.O_RDWR | constants.O_CREAT | UNLINKED, 0o644);
  } catch (error) {
    throw isLinkError(error) ? notRegular(path, 'a link') : error;
  }
}

/** What O_NOFOLLOW makes of a link: ELOOP on Linux and macOS, EMLINK on FreeBSD. */
function isLinkError(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException).code;
  return code === 'ELOOP' || code === 'EMLINK';
}

interface FileInfo {
  isFile(): boolean;
  isDirectory(): boolean;
  isSymbolicLink(): boolean;
}

function kindOf(info: FileInfo): string {
  if (info.isSymbolicLink()) return 'a link';
  if (info.isDirectory()) return 'a folder';
  return info.isFile() ? 'a link' : 'a device or pipe';
}

function notRegular(path: string, kind: string, expected = 'a regular file'): CheckpointError {
  return new CheckpointError(
    'CHECKPOINT_NOT_REGULAR',
    `Expected \`${path}\` to be ${expected}, and it is ${kind}: nothing is read or written through it. Put ${expected} in its place`,
  );
}

function tooLarge(path: string, size: number, maxBytes: number): CheckpointError {
  return new CheckpointError(
    'CHECKPOINT_TOO_LARGE',
    `\`${path}\` has ${size} bytes, and at most ${maxBytes} are read. Move it away, or use another run folder`,
  );
}
