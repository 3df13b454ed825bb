/**
 * Puts the package's own bins into node_modules/.bin of a clone, so that `npx operant` and `npx train` work there: npm links those
 * of dependencies only. They run the sources, as the npm scripts of these names do, in the folder they are called from.
 *
 * A file of somebody else is left as it is.
 */
import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const MARK = 'runs the sources of this clone';

/** @returns the files written. @throws what the file system says. */
export function linkBins(root) {
  const folder = join(root, 'node_modules/.bin');
  if (!existsSync(folder)) return [];
  const { bin } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const loader = '.ci/typescript.mjs';
  const written = [];
  for (const [name, compiled] of Object.entries(bin)) {
    const source = compiled.replace(/^dist\//, '').replace(/\.js$/, '.ts');
    for (const [file, text] of [
      [name, posixScript(loader, source)],
      [`${name}.cmd`, windowsScript(loader, source)],
    ]) {
      const path = join(folder, file);
      if (existsSync(path) && !readFileSync(path, 'utf8').includes(MARK)) continue;
      writeFileSync(path, text);
      chmodSync(path, 0o755);
      written.push(path);
    }
  }
  return written;
}

const posixScript = (loader, source) => `#!/bin/sh
# ${MARK}
root=$(CDPATH= cd -- "$(dirname -- "$0")/../.." && pwd -P)
exec node --import "file://$root/${loader}" "$root/${source}" "$@"
`;

const windowsScript = (loader, source) => `@echo off\r
rem ${MARK}\r
setlocal\r
pushd "%~dp0..\\.."\r
set "root=%CD:\\=/%"\r
popd\r
node --import "file:///%root%/${loader}" "%root%/${source}" %*\r
`;
