/** Finds a module of an installed package from a folder that is not ours; `import` itself resolves from this file. */
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { JsonObject, JsonValue } from '../json.ts';

/** URL of `specifier` (`name`, `@scope/name`, `name/sub`) as an ES module in `cwd` would import it; null = not there. */
export function resolvePackage(specifier: string, cwd: string): string | null {
  const require = createRequire(pathToFileURL(join(cwd, 'from-here.js')));
  try {
    return pathToFileURL(require.resolve(specifier)).href;
  } catch {
    return resolveImportOnly(specifier, require.resolve.paths(specifier) ?? []);
  }
}

/** `require.resolve` does not see packages whose exports have only an `import` condition. */
function resolveImportOnly(specifier: string, folders: readonly string[]): string | null {
  const parts = specifier.split('/');
  const nameLength = specifier.startsWith('@') ? 2 : 1;
  const name = parts.slice(0, nameLength).join('/');
  const subpath = ['.', ...parts.slice(nameLength)].join('/');
  for (const folder of folders) {
    const manifestPath = join(folder, name, 'package.json');
    if (!existsSync(manifestPath)) continue;
    const manifest = JSON.parse(readFileSync(manifestPath, 'utf8')) as JsonObject;
    const target = exportTarget(manifest.exports, subpath);
    if (target !== null) return pathToFileURL(join(folder, name, target)).href;
  }
  return null;
}

function exportTarget(exports: JsonValue | undefined, subpath: string): string | null {
  if (typeof exports === 'string') return subpath === '.' ? exports : null;
  if (typeof exports !== 'object' || exports === null) return null;
  const record = exports as JsonObject;
  const isMap = Object.keys(record).some((key) => key.startsWith('.'));
  if (isMap) return conditionTarget(record[subpath]);
  return subpath === '.' ? conditionTarget(record) : null;
}

function conditionTarget(value: JsonValue | undefined): string | null {
  if (typeof value === 'string') return value;
  if (typeof value !== 'object' || value === null) return null;
  for (const [condition, target] of Object.entries(value)) {
    if (!['import', 'node', 'default', 'module-sync'].includes(condition)) continue;
    const found = conditionTarget(target as JsonValue);
    if (found !== null) return found;
  }
  return null;
}
