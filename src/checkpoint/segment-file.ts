/** How a manifest names files: those of its own folder, and segments, which checkpoints share. */
import { CheckpointError } from '../errors.ts';

export interface ManifestFile {
  readonly size: number;
  readonly sha256: string;
}

/** A checkpoint's own segments lie in it; those of a run in one folder beside all of its checkpoints. */
export const SEGMENTS_FOLDER = 'segments';
/** From `checkpoints/NNNNNN` and from `superseded/NNNNNN`. */
export const SHARED_SEGMENTS_FOLDER = '../../segments';

type SegmentFolder = typeof SEGMENTS_FOLDER | typeof SHARED_SEGMENTS_FOLDER;

export interface ManifestSegments {
  /** Relative to the manifest. */
  readonly folder: SegmentFolder;
  /** By name of the segment, which is the file's without its extension. */
  readonly files: Readonly<Record<string, ManifestFile>>;
}

export function isSegmentFolder(value: unknown): value is SegmentFolder {
  return value === SEGMENTS_FOLDER || value === SHARED_SEGMENTS_FOLDER;
}

/** @throws CheckpointError `CHECKPOINT_PATH` for a name that could lead out of the folder. */
export function checkSegmentName(name: string): void {
  if (/^[a-z0-9]+(-[a-z0-9]+)*$/.test(name)) return;
  throw new CheckpointError(
    'CHECKPOINT_PATH',
    `Expected a segment's name such as \`replay-000012-0a1b2c3d4e5f6071\`, got ${JSON.stringify(name)}`,
  );
}

export function segmentFileName(name: string): string {
  return `${name}.safetensors`;
}
