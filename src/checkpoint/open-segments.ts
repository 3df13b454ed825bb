/** Reads segment files back, trusting nothing. */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { CheckpointError, isOperantError } from '../errors.ts';
import { errorCode } from '../files/durable-files.ts';
import { openRegularFile, readRegularFile } from '../files/regular-file.ts';
import type { ReadSegment } from './content.ts';
import { decodeSafetensors } from './safetensors.ts';
import {
  type ManifestFile,
  type ManifestSegments,
  SEGMENTS_FOLDER,
  SHARED_SEGMENTS_FOLDER,
  segmentFileName,
} from './segment-file.ts';

/**
 * Checks every segment of a checkpoint by size and sha256, and opens it: its tensors are read, and checked again, when asked for.
 *
 * @param checkpoint the folder of the manifest.
 * @throws CheckpointError `CHECKPOINT_SEGMENT_MISSING`, `CHECKPOINT_SEGMENT_DAMAGED`, `CHECKPOINT_NOT_REGULAR` naming the file.
 * Cost: reads every byte once, 1 MiB at a time.
 */
export async function openSegments(
  checkpoint: string,
  { folder, files }: ManifestSegments,
): Promise<Record<string, ReadSegment>> {
  const readers: [string, ReadSegment][] = [];
  for (const [name, expected] of Object.entries(files)) {
    // What may be reached through a link is the run folder alone, or, for its own segments, the checkpoint's.
    const isShared = folder === SHARED_SEGMENTS_FOLDER;
    const place: SegmentPlace = {
      home: isShared ? join(checkpoint, '..', '..') : checkpoint,
      file: `${SEGMENTS_FOLDER}/${segmentFileName(name)}`,
      isShared,
    };
    await checkSegment(place, expected);
    readers.push([name, () => readSegment(place, expected)]);
  }
  return Object.fromEntries(readers);
}

interface SegmentPlace {
  readonly home: string;
  /** Below `home`. */
  readonly file: string;
  readonly isShared: boolean;
}

const WRONG_CHECKSUM = 'its sha256 is not the one in the manifest';

async function checkSegment(place: SegmentPlace, expected: ManifestFile): Promise<void> {
  const path = join(place.home, place.file);
  const hash = createHash('sha256');
  try {
    const { file } = await openRegularFile(place.home, place.file, sizeCheck(path, expected));
    // The stream closes the file, also when reading fails.
    for await (const piece of file.createReadStream({ highWaterMark: 2 ** 20 })) hash.update(piece);
  } catch (cause) {
    throw segmentError(place, cause);
  }
  if (hash.digest('hex') !== expected.sha256) throw damaged(path, WRONG_CHECKSUM);
}

async function readSegment(place: SegmentPlace, expected: ManifestFile) {
  const path = join(place.home, place.file);
  const bytes = await readRegularFile(place.home, place.file, sizeCheck(path, expected)).catch(
    (cause: unknown) => {
      throw segmentError(place, cause);
    },
  );
  if (createHash('sha256').update(bytes).digest('hex') !== expected.sha256)
    throw damaged(path, WRONG_CHECKSUM);
  return decodeSafetensors(bytes, path).tensors;
}

function sizeCheck(path: string, expected: ManifestFile): (size: number) => void {
  return (size) => {
    if (size !== expected.size) throw damaged(path, `it has ${size} bytes, expected ${expected.size}`);
  };
}

function segmentError({ home, file, isShared }: SegmentPlace, cause: unknown): Error {
  if (isOperantError(cause)) return cause;
  const path = join(home, file);
  if (errorCode(cause) !== 'ENOENT') {
    return damaged(path, cause instanceof Error ? cause.message : String(cause), cause);
  }
  const hint = isShared
    ? "A run's checkpoints share its folder `segments/`: copy the whole run folder, or write a checkpoint that is whole by itself with `save()`"
    : 'Use another checkpoint';
  return new CheckpointError(
    'CHECKPOINT_SEGMENT_MISSING',
    `The checkpoint's replay buffer needs \`${path}\`, which is not there. ${hint}`,
  );
}

function damaged(path: string, why: string, cause?: unknown): CheckpointError {
  return new CheckpointError(
    'CHECKPOINT_SEGMENT_DAMAGED',
    `\`${path}\` is damaged: ${why}. Use a checkpoint that does not name it`,
    { cause },
  );
}
