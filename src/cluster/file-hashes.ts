/** What files are: their contents by SHA-256. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** SHA-256, hex, by path relative to a folder. */
export type FileHashes = Readonly<Record<string, string>>;

/** @throws Error of the file system for a path that is no file. */
export function hashFiles(folder: string, paths: readonly string[]): FileHashes {
  return Object.fromEntries(paths.map((path) => [path, hashOf(join(folder, path))]));
}

/** Paths that are missing in a folder, or other files there. */
export function differingFiles(folder: string, files: FileHashes): string[] {
  return Object.entries(files)
    .filter(([path, hash]) => hashIfThere(join(folder, path)) !== hash)
    .map(([path]) => path);
}

function hashIfThere(path: string): string | null {
  try {
    return hashOf(path);
  } catch {
    return null;
  }
}

function hashOf(path: string): string {
  return createHash('sha256').update(readFileSync(path)).digest('hex');
}
