/** The version of this package, read from its own package.json. */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

let known: string | undefined;

/** The folder that holds Operant's package.json; sources and the compiled package lie at different depths below it. */
export function packageRoot(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, 'package.json')) && dirname(folder) !== folder) folder = dirname(folder);
  return folder;
}

/** Whether a module's URL is one of an algorithm that comes with Operant. */
export function isOwnAlgorithm(module: string): boolean {
  const folders = ['algorithms', 'dist/algorithms'].map((name) => join(packageRoot(), name));
  return folders.some((folder) => module.startsWith(`${pathToFileURL(folder).href}/`));
}

export function operantVersion(): string {
  known ??= String(JSON.parse(readFileSync(join(packageRoot(), 'package.json'), 'utf8')).version);
  return known;
}
