/** Reads segment files back, trusting nothing. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { CheckpointError } from '../errors.ts';
import type { ReadSegment } from './content.ts';
import { decodeSafetensors } from './safetensors.ts';
import {
  type ManifestFile,
  type ManifestSegments,
  SEGMENTS_FOLDER,
  segmentFileName,
} from './segment-file.ts';

/**
 * Checks every segment of a checkpoint by size and sha256, and opens it: its tensors are read, and checked again, when asked for.
 *
 * @param checkpoint the folder of the manifest.
 * @throws CheckpointError `CHECKPOINT_SEGMENT_MISSING`, `CHECKPOINT_SEGMENT_DAMAGED` naming the file.
 * Cost: reads every byte once, 1 MiB at a time.
 */
export async function openSegments(
  checkpoint: string,
  { folder, files }: ManifestSegments,
): Promise<Record<string, ReadSegment>> {
  const readers: [string, ReadSegment][] = [];
  for (const [name, expected] of Object.entries(files)) {
    const path = join(checkpoint, folder, segmentFileName(name));
    await checkSize(path, expected, folder);
    const hash = createHash('sha256');
    try {
      for await (const piece of createReadStream(path, { highWaterMark: 2 ** 20 })) hash.update(piece);
    } catch (cause) {
      throw damaged(path, cause instanceof Error ? cause.message : String(cause), cause);
    }
    if (hash.digest('hex') !== expected.sha256) throw damaged(path, WRONG_CHECKSUM);
    readers.push([name, () => readSegment(path, expected, folder)]);
  }
  return Object.fromEntries(readers);
}

const WRONG_CHECKSUM = 'its sha256 is not the one in the manifest';

async function readSegment(path: string, expected: ManifestFile, folder: string) {
  await checkSize(path, expected, folder);
  const bytes = await readFile(path);
  if (createHash('sha256').update(bytes).digest('hex') !== expected.sha256)
    throw damaged(path, WRONG_CHECKSUM);
  return decodeSafetensors(bytes, path).tensors;
}

async function checkSize(path: string, { size }: ManifestFile, folder: string): Promise<void> {
  const info = await stat(path).catch(() => null);
  if (info === null || !info.isFile()) {
    const hint =
      folder === SEGMENTS_FOLDER
        ? 'Use another checkpoint'
        : "A run's checkpoints share its folder `segments/`: copy the whole run folder, or write a checkpoint that is whole by itself with `save()`";
    throw new CheckpointError(
      'CHECKPOINT_SEGMENT_MISSING',
      `The checkpoint's replay buffer needs \`${path}\`, which is not there. ${hint}`,
    );
  }
  if (info.size !== size) throw damaged(path, `it has ${info.size} bytes, expected ${size}`);
}

function damaged(path: string, why: string, cause?: unknown): CheckpointError {
  return new CheckpointError(
    'CHECKPOINT_SEGMENT_DAMAGED',
    `\`${path}\` is damaged: ${why}. Use a checkpoint that does not name it`,
    { cause },
  );
}
