/** Reads a checkpoint back, trusting nothing that is on the disk. Never writes. */
import { createHash } from 'node:crypto';
import { lstat, readdir, stat } from 'node:fs/promises';
import { totalmem } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { CheckpointError, isOperantError } from '../errors.ts';
import { errorCode } from '../files/durable-files.ts';
import { checkOwnFolder, readRegularFile, readRegularText } from '../files/regular-file.ts';
import type { JsonObject } from '../json.ts';
import type { CheckpointContent } from './content.ts';
import { decodeManifest, MANIFEST_NAME, type Manifest } from './manifest.ts';
import { openSegments } from './open-segments.ts';
import { decodeSafetensors } from './safetensors.ts';
import type { ManifestFile } from './segment-file.ts';

export interface LoadedCheckpoint {
  /** Absolute path of the checkpoint's folder, after following a run folder or a pointer file. */
  readonly path: string;
  readonly manifest: Manifest;
  readonly content: CheckpointContent;
}

export interface LoadOptions {
  /**
   * false leaves out the segments (a replay buffer), which acting does not need: they may be large, or left behind when a checkpoint
   * was copied. @defaultValue true
   */
  readonly withSegments?: boolean;
}

/** Longer than any pointer, so that a large file given by mistake is not read. */
const MAX_POINTER_BYTES = 4096;
/** A hundred bytes for each file of the checkpoint, and a few thousand for the rest. */
const MAX_MANIFEST_BYTES = 2 ** 24;

/**
 * Loads a checkpoint: its manifest, then each file that the manifest names, checked by size and sha256.
 *
 * @param path a checkpoint's folder, a run folder (its `latest`), or a pointer file `latest` or `best`.
 * @throws CheckpointError naming the file and what is wrong with it: `CHECKPOINT_NOT_FOUND`, `CHECKPOINT_POINTER`,
 *   `CHECKPOINT_MANIFEST`, `CHECKPOINT_VERSION`, `CHECKPOINT_FILE_MISSING`, `CHECKPOINT_FILE_SIZE`, `CHECKPOINT_CHECKSUM`,
 *   `CHECKPOINT_TENSORS`, `CHECKPOINT_DTYPE`, `CHECKPOINT_JSON`, `CHECKPOINT_PATH`, `CHECKPOINT_READ`, `CHECKPOINT_SEGMENT_MISSING`,
 *   `CHECKPOINT_SEGMENT_DAMAGED`; `CHECKPOINT_NOT_REGULAR` for anything inside that is a link, a device or a pipe, and
 *   `CHECKPOINT_TOO_LARGE` above the machine's memory.
 *
 * Segments are checked here, and read when they are asked for, one at a time: a replay buffer is never in memory twice.
 */
export async function loadCheckpoint(
  path: string,
  { withSegments = true }: LoadOptions = {},
): Promise<LoadedCheckpoint> {
  const folder = await resolveCheckpoint(path);
  const manifest = await readManifest(folder);
  checkTotalSize(manifest, folder);
  const tensors: [string, CheckpointContent['tensors'][string]][] = [];
  const json: [string, JsonObject][] = [];
  for (const [name, expected] of Object.entries(manifest.files)) {
    const bytes = await readChecked(folder, name, expected);
    const source = join(folder, name);
    if (name.endsWith('.safetensors')) tensors.push([name, decodeSafetensors(bytes, source).tensors]);
    else json.push([name, parseJson(bytes, source)]);
  }
  const content = {
    description: manifest.description,
    tensors: Object.fromEntries(tensors),
    json: Object.fromEntries(json),
    ...(withSegments && manifest.segments !== undefined
      ? { segments: await openSegments(folder, manifest.segments) }
      : {}),
  };
  return { path: folder, manifest, content };
}

/** The manifest alone, of anything that {@link loadCheckpoint} takes: cheap, for listings and comparisons. */
export async function loadManifest(path: string): Promise<{ path: string; manifest: Manifest }> {
  const folder = await resolveCheckpoint(path);
  return { path: folder, manifest: await readManifest(folder) };
}

/**
 * The folder that `path` means.
 *
 * A run folder without a `latest` (killed between its first checkpoint and the pointer) gives its highest numbered one.
 */
export async function resolveCheckpoint(path: string): Promise<string> {
  const absolute = resolve(path);
  const info = await statOrNull(absolute);
  if (info === null) {
    throw new CheckpointError('CHECKPOINT_NOT_FOUND', `No checkpoint at \`${absolute}\`: nothing is there`);
  }
  if (info.isFile()) return followPointer(absolute);
  if (await lstatOrNull(join(absolute, MANIFEST_NAME))) return absolute;
  const latest = join(absolute, 'latest');
  if (await lstatOrNull(latest)) return followPointer(latest);
  const newest = (await listCheckpoints(join(absolute, 'checkpoints'))).at(-1);
  if (newest !== undefined) return ownCheckpoint(absolute, `checkpoints/${newest}`);
  throw new CheckpointError(
    'CHECKPOINT_NOT_FOUND',
    `\`${absolute}\` is neither a checkpoint (no \`${MANIFEST_NAME}\`) nor a run folder that holds one (no \`latest\`, no \`checkpoints/NNNNNN\`)`,
  );
}

/** Names of the numbered checkpoints in a folder, oldest first; empty when the folder does not exist. */
export async function listCheckpoints(folder: string): Promise<string[]> {
  const names = await readdir(folder).catch(() => []);
  return names.filter(isCheckpointName).sort((a, b) => Number(a) - Number(b));
}

/** The name of an iteration's checkpoint: six digits or more, so that names sort as numbers for a million iterations. */
export function checkpointName(iteration: number): string {
  return String(iteration).padStart(6, '0');
}

/** `0000012` and `12` are not how an iteration is written, so they name no checkpoint. */
function isCheckpointName(name: string): boolean {
  return /^\d{6,15}$/.test(name) && checkpointName(Number(name)) === name;
}

/** The iteration that a pointer's line names; null for anything but `checkpoints/NNNNNN`. */
export function pointedIteration(line: string): number | null {
  const name = /^checkpoints\/(\d+)$/.exec(line.trimEnd())?.[1] ?? '';
  return isCheckpointName(name) ? Number(name) : null;
}

async function followPointer(pointer: string): Promise<string> {
  const text = await readText(dirname(pointer), basename(pointer), MAX_POINTER_BYTES).catch(
    (error: unknown) => {
      if (isOperantError(error) && error.code === 'CHECKPOINT_TOO_LARGE') return '';
      throw error;
    },
  );
  const iteration = pointedIteration(text);
  if (iteration === null) {
    const message = `Expected \`${pointer}\` to be a checkpoint's folder, a run folder, or a pointer file that holds one line such as \`checkpoints/000100\``;
    throw new CheckpointError('CHECKPOINT_POINTER', message);
  }
  const target = `checkpoints/${checkpointName(iteration)}`;
  if (await lstatOrNull(join(dirname(pointer), target, MANIFEST_NAME))) {
    return ownCheckpoint(dirname(pointer), target);
  }
  const message = `\`${pointer}\` names \`${target}\`, which is not there. Name another checkpoint of ${join(dirname(pointer), 'checkpoints')}`;
  throw new CheckpointError('CHECKPOINT_POINTER', message);
}

/** A checkpoint of a run folder lies in it: neither `checkpoints` nor its own folder is a link to somewhere else. */
async function ownCheckpoint(runFolder: string, target: string): Promise<string> {
  await checkOwnFolder(join(runFolder, 'checkpoints'));
  await checkOwnFolder(join(runFolder, target));
  return join(runFolder, target);
}

async function readManifest(folder: string): Promise<Manifest> {
  const text = await readText(folder, MANIFEST_NAME, MAX_MANIFEST_BYTES);
  return decodeManifest(text, join(folder, MANIFEST_NAME));
}

/** Sparse files cost nothing to make, so what a manifest promises is held against what this machine could hold. */
function checkTotalSize({ files }: Manifest, folder: string): void {
  const total = Object.values(files).reduce((sum, { size }) => sum + size, 0);
  if (total <= totalmem()) return;
  throw new CheckpointError(
    'CHECKPOINT_TOO_LARGE',
    `The files of \`${folder}\` take ${total} bytes, and this machine has ${totalmem()} bytes of memory. Load it on a larger one`,
  );
}

async function readChecked(folder: string, name: string, expected: ManifestFile): Promise<Uint8Array> {
  const path = join(folder, name);
  const checkSize = (size: number) => {
    if (size === expected.size) return;
    const message = `\`${path}\` has ${size} bytes, expected ${expected.size}. It is truncated or was changed; use an older checkpoint`;
    throw new CheckpointError('CHECKPOINT_FILE_SIZE', message);
  };
  const bytes = await readRegularFile(folder, name, checkSize).catch((cause: unknown) => {
    if (!isAbsent(cause)) throw unreadable(path, cause);
    const message = `The manifest names \`${name}\`, but \`${path}\` is not there`;
    throw new CheckpointError('CHECKPOINT_FILE_MISSING', message);
  });
  if (createHash('sha256').update(bytes).digest('hex') !== expected.sha256) {
    const message = `\`${path}\` is damaged: its sha256 is not the one in the manifest. Use an older checkpoint`;
    throw new CheckpointError('CHECKPOINT_CHECKSUM', message);
  }
  return bytes;
}

function parseJson(bytes: Uint8Array, source: string): JsonObject {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (cause) {
    throw new CheckpointError('CHECKPOINT_JSON', `\`${source}\` is not JSON`, { cause });
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as JsonObject;
  throw new CheckpointError('CHECKPOINT_JSON', `Expected \`${source}\` to hold a JSON object`);
}

async function readText(folder: string, name: string, maxBytes: number): Promise<string> {
  return readRegularText(folder, name, maxBytes).catch((cause: unknown) => {
    throw unreadable(join(folder, name), cause);
  });
}

async function statOrNull(path: string) {
  return stat(path).catch((cause: unknown) => nullIfAbsent(path, cause));
}

/** Without following a link. */
async function lstatOrNull(path: string) {
  return lstat(path).catch((cause: unknown) => nullIfAbsent(path, cause));
}

function nullIfAbsent(path: string, cause: unknown): null {
  if (isAbsent(cause)) return null;
  throw unreadable(path, cause);
}

function isAbsent(cause: unknown): boolean {
  const code = errorCode(cause);
  return code === 'ENOENT' || code === 'ENOTDIR';
}

function unreadable(path: string, cause: unknown): Error {
  if (isOperantError(cause)) return cause;
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new CheckpointError('CHECKPOINT_READ', `Cannot read \`${path}\`: ${reason}`, { cause });
}
