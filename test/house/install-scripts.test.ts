/** Nothing is fetched or compiled by an install: each package that would run a script is named, and told not to. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const read = (name: string) => JSON.parse(readFileSync(new URL(`../../${name}`, import.meta.url), 'utf8'));

interface LockedPackage {
  readonly hasInstallScript?: boolean;
  readonly link?: boolean;
}

test('every package of the lock file that has an install script is in `allowScripts`', () => {
  const packages = Object.entries<LockedPackage>(read('package-lock.json').packages);
  const isForeign = (path: string) => path.startsWith('node_modules/');
  const scripted = packages.filter(
    ([path, { hasInstallScript }]) => isForeign(path) && hasInstallScript === true,
  );
  const names = [...new Set(scripted.map(([path]) => path.split('node_modules/').at(-1)))];
  expect(names.length).toBeGreaterThan(2);
  expect(Object.keys(read('package.json').allowScripts).sort()).toEqual(names.sort());
});
