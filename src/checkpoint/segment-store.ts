/** A folder of segment files: written once, shared by checkpoints, removed when no checkpoint names them. */
import { existsSync } from 'node:fs';
import { readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { CheckpointError } from '../errors.ts';
import {
  asWriteError,
  makeFolder,
  syncFolder,
  temporaryBeside,
  writeNewFile,
} from '../files/durable-files.ts';
import type { ReadSegment } from './content.ts';
import { encodeSafetensors } from './safetensors.ts';
import { checkSegmentName, type ManifestFile, segmentFileName } from './segment-file.ts';

export interface SegmentStore {
  readonly path: string;
  /** Names of the segments that are known to be there whole. */
  readonly stored: ReadonlySet<string>;
  /** Takes files for known that a manifest names and that have been checked. */
  adopt(files: Readonly<Record<string, ManifestFile>>): void;
  /**
   * Makes sure that all segments are there, writing those that are not, each synced and renamed into place.
   *
   * @returns size and checksum of all of them, for the manifest.
   * @throws CheckpointError `CHECKPOINT_SEGMENT_MISSING` for a null that is not there, and as writing any file.
   */
  save(segments: Readonly<Record<string, ReadSegment | null>>): Promise<Record<string, ManifestFile>>;
  /** Removes the segments that are not in `used`, of whatever run they are. Returns their names. */
  removeUnused(used: ReadonlySet<string>): Promise<string[]>;
}

/** @param folder made when the first segment is written. */
export function createSegmentStore(folder: string): SegmentStore {
  const known = new Map<string, ManifestFile>();
  const stored = new Set<string>();
  const remember = (name: string, file: ManifestFile) => {
    known.set(name, file);
    stored.add(name);
  };
  const write = async (name: string, read: ReadSegment | null): Promise<void> => {
    checkSegmentName(name);
    if (read === null) throw missing(name, folder);
    const path = join(folder, segmentFileName(name));
    const temporary = temporaryBeside(path);
    try {
      const file = await writeNewFile(temporary, encodeSafetensors(await read()));
      // Over a file of that name, whose content nobody has checked.
      await rename(temporary, path);
      remember(name, file);
    } catch (error) {
      await rm(temporary, { force: true }).catch(() => undefined);
      throw asWriteError(error, path);
    }
  };
  return {
    path: folder,
    stored,
    adopt(files) {
      for (const [name, file] of Object.entries(files)) remember(name, file);
    },
    async save(segments) {
      const entries = Object.entries(segments);
      const fresh = entries.filter(([name]) => !known.has(name));
      if (fresh.length > 0) await makeFolder(folder);
      for (const [name, read] of fresh) await write(name, read);
      if (fresh.length > 0) await syncFolder(folder);
      return Object.fromEntries(entries.map(([name]) => [name, known.get(name) as ManifestFile]));
    },
    async removeUnused(used) {
      if (!existsSync(folder)) return [];
      const names = (await readdir(folder))
        .filter((file) => file.endsWith('.safetensors'))
        .map((file) => file.slice(0, -'.safetensors'.length));
      const unused = names.filter((name) => !used.has(name));
      for (const name of unused) {
        known.delete(name);
        stored.delete(name);
        await rm(join(folder, segmentFileName(name)), { force: true });
      }
      return unused;
    },
  };
}

function missing(name: string, folder: string): CheckpointError {
  return new CheckpointError(
    'CHECKPOINT_SEGMENT_MISSING',
    `The state was given without segment \`${name}\`, which \`${folder}\` does not have either. Ask for the state without \`storedSegments\``,
  );
}
