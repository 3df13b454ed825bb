/** `operant new browser`: the files of a page; that it builds and learns is for test/package/browser-page.long.test.ts. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { temporaryFolder } from '../temporary-folder.ts';
import { operant } from './run-in-process.ts';

test('new browser writes a page, says what to do with it, and overwrites nothing', async () => {
  const folder = temporaryFolder();
  const first = await operant('new', 'browser', 'my-page', '--out', folder);
  expect(first.exitCode).toBe(0);
  expect(first.stdout).toContain('npm install && npm run dev');
  const page = join(folder, 'my-page');
  expect(readdirSync(page).sort()).toEqual([
    'index.html',
    'package.json',
    'page.ts',
    'trainer.ts',
    'vite.config.js',
  ]);
  const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
  const manifest = JSON.parse(readFileSync(join(page, 'package.json'), 'utf8'));
  expect(manifest).toMatchObject({ name: 'my-page', dependencies: { operant: `^${version}` } });
  const again = await operant('new', 'browser', 'my-page', '--out', folder);
  expect(again.exitCode).toBe(2);
  expect(again.stderr).toContain('is there already');
  const js = await operant('new', 'browser', 'other', '--js', '--out', folder);
  expect(js.exitCode).toBe(2);
  expect(js.stderr).toContain('Vite takes TypeScript');
});
