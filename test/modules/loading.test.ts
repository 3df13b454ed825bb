/** Modules of a user that end the process or never end, from outside: what does the command say, and with which exit code? */
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { expect, test } from 'vitest';
import { importModule } from '../../src/modules/import-module.ts';
import { temporaryFolder } from '../temporary-folder.ts';

const LOADER = new URL('../../.ci/typescript.mjs', import.meta.url).href;
const MAIN = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));

function train(...flags: string[]): { readonly status: number | null; readonly stderr: string } {
  const args = ['--import', LOADER, MAIN, 'train', ...flags];
  return spawnSync(process.execPath, args, { cwd: temporaryFolder(), encoding: 'utf8', timeout: 50_000 });
}

test.each([
  ['a config', '--config', 'process.exit(0); export default {};'],
  ['an environment', '--env', 'process.exit(0); export default () => ({});'],
  ["an environment's factory", '--env', 'export default () => process.exit(0);'],
])('%s that ends the process is named, with an exit code', (_, flag, code) => {
  const path = join(temporaryFolder(), 'ends.mjs');
  writeFileSync(path, code);
  const { status, stderr } = train(flag, path, '--num-env-runners', '0');
  expect(stderr).toContain('The process ended while');
  expect(stderr).toContain('ends.mjs');
  expect(status).toBe(1);
});

test('its own exit code is kept', () => {
  const path = join(temporaryFolder(), 'ends.mjs');
  writeFileSync(path, 'process.exit(7);');
  expect(train('--config', path).status).toBe(7);
});

test('a module that never finishes loading is given up', async () => {
  const path = join(temporaryFolder(), 'waits.mjs');
  writeFileSync(path, 'await new Promise(() => {});');
  const loading = importModule(pathToFileURL(path).href, 0.2);
  await expect(loading).rejects.toThrow('did not finish loading within 0.2 s');
});
