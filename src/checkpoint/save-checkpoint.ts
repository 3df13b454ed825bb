/** Writes a checkpoint folder so that it appears whole or not at all. */
import { existsSync } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { CheckpointError } from '../errors.ts';
import {
  asWriteError,
  makeFolder,
  makeFolders,
  syncFolder,
  temporaryBeside,
  writeNewFile,
} from '../files/durable-files.ts';
import type { JsonObject } from '../json.ts';
import { collectFingerprint } from '../machine/fingerprint.ts';
import { operantVersion } from '../machine/operant-version.ts';
import type { CheckpointContent } from './content.ts';
import { hashJson, stringifyExact } from './exact-json.ts';
import { checkRelativePath, encodeManifest, FORMAT_VERSION, MANIFEST_NAME } from './manifest.ts';
import { encodeSafetensors } from './safetensors.ts';
import {
  type ManifestFile,
  type ManifestSegments,
  SEGMENTS_FOLDER,
  SHARED_SEGMENTS_FOLDER,
} from './segment-file.ts';
import { createSegmentStore, type SegmentStore } from './segment-store.ts';

/**
 * Saves `content` as the folder `directory`, which must not exist yet (folders above it are created).
 *
 * The files are written and synced in a folder beside it whose name starts with `.tmp-`, which is then renamed into
 * place: a process killed at any moment, and a machine that loses power, leave either no checkpoint of that name or a whole
 * one. On failure the half-written folder is removed and nothing else has been touched.
 *
 * @param store where segments go, those that are there already left as they are; null: into the checkpoint, which then is whole by
 *   itself. The checkpoint appears after all of its segments.
 * @returns the absolute path of the checkpoint.
 * @throws CheckpointError `CHECKPOINT_EXISTS`, `CHECKPOINT_DISK_FULL`, `CHECKPOINT_NOT_WRITABLE`, `CHECKPOINT_WRITE`;
 *   `CHECKPOINT_SEGMENT_MISSING` for a segment that neither the content nor the store has; `CHECKPOINT_VALUE`, `CHECKPOINT_TENSORS` or `CHECKPOINT_PATH` for a content that cannot be stored without loss.
 *
 * Cost: dominated by one fsync per file and folder, a few milliseconds each. Thread: any; it does not block.
 */
export async function saveCheckpoint(
  directory: string,
  content: CheckpointContent,
  store: SegmentStore | null = null,
): Promise<string> {
  const target = resolve(directory);
  if (existsSync(target)) {
    const message = `Expected \`${target}\` not to exist, but it does. Save to another folder or remove it first`;
    throw new CheckpointError('CHECKPOINT_EXISTS', message);
  }
  const pieces = piecesOf(content);
  await makeFolder(dirname(target));
  const temporary = temporaryBeside(target);
  try {
    const segments = await storeSegments(content, store, join(temporary, SEGMENTS_FOLDER));
    await writeFolder(temporary, content, pieces, segments);
    await rename(temporary, target);
    await syncFolder(dirname(target));
  } catch (error) {
    await rm(temporary, { recursive: true, force: true }).catch(() => undefined);
    throw asWriteError(error, target);
  }
  return target;
}

async function storeSegments(
  { segments }: CheckpointContent,
  store: SegmentStore | null,
  ownFolder: string,
): Promise<ManifestSegments | null> {
  if (segments === undefined) return null;
  const files = await (store ?? createSegmentStore(ownFolder)).save(segments);
  return { folder: store === null ? SEGMENTS_FOLDER : SHARED_SEGMENTS_FOLDER, files };
}

function piecesOf(content: CheckpointContent): Map<string, readonly Uint8Array[]> {
  const pieces = new Map<string, readonly Uint8Array[]>();
  for (const [path, tensors] of Object.entries(content.tensors)) {
    checkExtension(path, '.safetensors');
    pieces.set(path, encodeSafetensors(tensors));
  }
  for (const [path, value] of Object.entries(content.json)) {
    checkExtension(path, '.json');
    pieces.set(path, [new TextEncoder().encode(`${stringifyExact(value, path)}\n`)]);
  }
  return pieces;
}

function checkExtension(path: string, extension: string): void {
  checkRelativePath(path);
  if (path.endsWith(extension)) return;
  throw new CheckpointError(
    'CHECKPOINT_PATH',
    `Expected the path to end in \`${extension}\`, got \`${path}\``,
  );
}

async function writeFolder(
  folder: string,
  content: CheckpointContent,
  pieces: ReadonlyMap<string, readonly Uint8Array[]>,
  segments: ManifestSegments | null,
): Promise<void> {
  const folders = new Set([folder]);
  for (const path of pieces.keys()) {
    for (let above = dirname(path); above !== '.'; above = dirname(above)) folders.add(join(folder, above));
  }
  for (const path of folders) await makeFolders(path);
  // The files are independent, so their fsyncs can wait for the disk together.
  const files = await settleAll(
    [...pieces].map(
      async ([path, parts]): Promise<[string, ManifestFile]> => [
        path,
        await writeNewFile(join(folder, path), parts),
      ],
    ),
  );
  const manifest = await encodeManifestOf(content, Object.fromEntries(files), segments);
  await writeNewFile(join(folder, MANIFEST_NAME), [new TextEncoder().encode(manifest)]);
  await settleAll([...folders].map(syncFolder));
}

/** As Promise.all, but waits for every one before it fails: nothing may still be writing while the folder is removed. */
async function settleAll<T>(promises: readonly Promise<T>[]): Promise<T[]> {
  await Promise.allSettled(promises);
  return Promise.all(promises);
}

async function encodeManifestOf(
  content: CheckpointContent,
  files: Record<string, ManifestFile>,
  segments: ManifestSegments | null,
): Promise<string> {
  const { engine, backend } = content.description;
  const fingerprint = await collectFingerprint(
    typeof engine === 'string' ? engine : null,
    typeof backend === 'string' ? backend : null,
  );
  const config = content.json['config.json'];
  return encodeManifest({
    formatVersion: FORMAT_VERSION,
    operantVersion: operantVersion(),
    createdAt: new Date().toISOString(),
    configHash: config === undefined ? null : hashJson(config),
    fingerprint: fingerprint as unknown as JsonObject,
    description: content.description,
    files,
    ...(segments !== null && { segments }),
  });
}
