/** A folder for a new run, which nobody else gets. */
import { mkdir } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { ConfigError } from '../errors.ts';
import { errorCode, makeFolders } from '../files/durable-files.ts';
import { openFilesHint } from '../files/open-files.ts';

/** A folder above that cannot be made at all gives ENOENT for ever. */
const MAX_ATTEMPTS = 1000;

/**
 * Makes a new empty folder: `base`, or `base-2`, `base-3`, ... when that is taken. However many ask at once, everybody gets another.
 *
 * @returns its path. @throws ConfigError `CONFIG_OUT_NOT_WRITABLE`.
 */
export async function makeFreshFolder(base: string): Promise<string> {
  for (let k = 1; ; k += 1) {
    const path = k === 1 ? base : `${base}-${k}`;
    try {
      await makeFolders(resolve(dirname(path)));
      await mkdir(path);
      return path;
    } catch (error) {
      const code = errorCode(error);
      // ENOENT: another run failed, and removed the empty folder above just now.
      if (code !== 'EEXIST' && (code !== 'ENOENT' || k > MAX_ATTEMPTS)) throw asFolderError(error, path);
    }
  }
}

/** What became of making a run folder, as an error that names it and says what to do. */
export function asFolderError(error: unknown, folder: string): Error {
  if (error instanceof ConfigError) return error;
  const code = errorCode(error) ?? '';
  const hint = openFilesHint(code);
  if (hint !== null)
    return new ConfigError('CONFIG_OPEN_FILES', `Cannot create \`${folder}\`: ${hint}`, { cause: error });
  const isFile = code === 'EEXIST' || code === 'ENOTDIR';
  const why = isFile
    ? 'a part of that path is a file'
    : error instanceof Error
      ? error.message
      : String(error);
  return new ConfigError(
    'CONFIG_OUT_NOT_WRITABLE',
    `Cannot create the run folder \`--out ${folder}\`: ${why}. Choose another one`,
    {
      cause: error,
    },
  );
}
