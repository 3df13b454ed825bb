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
 * the working directory. A folder that everybody may write to is passed over: what lies there is nobody's own.
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
    if (!existsSync(path) || isEverybodys(dirname(path))) continue;
    if (path === resolve(specifier)) return reference;
    return exportName === undefined ? path : `${path}#${exportName}`;
  }
  return reference;
}

function isEverybodys(folder: string): boolean {
  return process.platform !== 'win32' && (statSync(folder).mode & 0o002) !== 0;
}
