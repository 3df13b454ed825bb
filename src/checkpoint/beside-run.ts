/** Where the files are that a run's config names by relative paths: beside the run, wherever it is looked at from. */
import { existsSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { JsonObject, JsonValue } from '../json.ts';
import { isAbsolutePath, SCHEME, SCRIPT, splitExport } from '../modules/module-text.ts';

/** Options whose value may be a module of the user's. */
const NAMES_MODULE = [
  ['environment', 'env'],
  ['evaluation', 'evaluationEnv'],
  ['training', 'network'],
] as const;

/**
 * The sections with relative modules made absolute, where a folder above the checkpoint holds such a file; others are left, to be looked for in
 * the working directory. What lies in a folder that everybody may write to, or in one below it on the way to the file, is passed over: it may be anybody's.
 */
export function besideRun(checkpointPath: string, sections: JsonObject): JsonObject {
  const located: Record<string, JsonValue | undefined> = { ...sections };
  for (const [section, name] of NAMES_MODULE) {
    const values = located[section] as JsonObject | undefined;
    const reference = values?.[name];
    if (typeof reference !== 'string') continue;
    located[section] = { ...values, [name]: locateBeside(checkpointPath, reference) };
  }
  return located as JsonObject;
}

/** One reference, as {@link besideRun} finds it. */
export function locateBeside(checkpointPath: string, reference: string): string {
  const { specifier, exportName } = splitExport(reference);
  const isRelative =
    /^\.{1,2}[\\/]/.test(specifier) || (SCRIPT.test(specifier) && !isAbsolutePath(specifier));
  if (!isRelative || SCHEME.test(specifier)) return reference;
  let folder = resolve(checkpointPath);
  for (let above = dirname(folder); above !== folder; above = dirname(folder)) {
    folder = above;
    const path = resolve(folder, specifier);
    if (!existsSync(path) || isAnybodys(path, folder)) continue;
    if (path === resolve(specifier)) return reference;
    return exportName === undefined ? path : `${path}#${exportName}`;
  }
  return reference;
}

/** Whether a folder from that of `path` up to the first that also holds the run may be written to by everybody, who could have put the others there. */
function isAnybodys(path: string, folder: string): boolean {
  if (process.platform === 'win32') return false;
  for (let at = dirname(path); ; at = dirname(at)) {
    if ((statSync(at).mode & 0o002) !== 0) return true;
    if (at === dirname(at) || `${folder}/`.startsWith(`${at}/`)) return false;
  }
}
