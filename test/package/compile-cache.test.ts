/** The folders of compiled TypeScript in the temporary directory, whose names anybody can guess. */
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, test } from 'vitest';
import { loaderArgv } from '../../src/threads/exec-argv.ts';
import { temporaryFolder } from '../temporary-folder.ts';
import { REPOSITORY, runCommand } from './packed-project.ts';

const LOADER = pathToFileURL(join(REPOSITORY, '.ci/typescript.mjs')).href;

/** Runs a TypeScript file as the scripts of a clone do, with this temporary directory. */
function runScript(temporary: string): void {
  const script = join(temporaryFolder(), 'script.ts');
  writeFileSync(script, 'const answer: number = 42; console.log(answer);');
  const environment = { TMPDIR: temporary, TSX_DISABLE_CACHE: '' };
  const run = runCommand(process.execPath, ['--import', LOADER, script], REPOSITORY, environment);
  expect([run.stderr, run.stdout]).toEqual(['', '42\n']);
}

/** Loads a module of the clone as its threads do. */
function runModule(temporary: string): void {
  const module = pathToFileURL(join(REPOSITORY, 'src/errors.ts')).href;
  const code = `const { ConfigError } = await import('${module}'); console.log(typeof ConfigError);`;
  const args = [...loaderArgv(), '--input-type=module', '-e', code];
  const run = runCommand(process.execPath, args, REPOSITORY, { TMPDIR: temporary });
  expect([run.stderr, run.stdout]).toEqual(['', 'function\n']);
}

describe.skipIf(process.platform === 'win32').each([
  ['of scripts', `tsx-${process.geteuid?.()}`, runScript],
  ['of threads', `operant-compiled-${process.geteuid?.()}`, runModule],
])('the cache of a clone, %s', (_, cacheName, runWith) => {
  test('is made for its owner alone', () => {
    const temporary = temporaryFolder();
    runWith(temporary);
    expect(statSync(join(temporary, cacheName)).mode & 0o777).toBe(0o700);
    expect(readdirSync(join(temporary, cacheName)).length).toBeGreaterThan(0);
  });

  test('is not used where others may write it', () => {
    const temporary = temporaryFolder();
    mkdirSync(join(temporary, cacheName));
    chmodSync(join(temporary, cacheName), 0o777);
    runWith(temporary);
    expect(readdirSync(join(temporary, cacheName))).toEqual([]);
  });

  test('is not used where it is a link', () => {
    const temporary = temporaryFolder();
    const elsewhere = mkdtempSync(join(temporary, 'elsewhere-'));
    symlinkSync(elsewhere, join(temporary, cacheName));
    runWith(temporary);
    expect(readdirSync(elsewhere)).toEqual([]);
  });

  test('is not used where others could put another folder in its place', () => {
    const temporary = temporaryFolder();
    chmodSync(temporary, 0o777);
    runWith(temporary);
    expect(readdirSync(join(temporary, cacheName))).toEqual([]);
  });
});
