/** `npx operant` and `npx train` in a clone, where npm links no bins of the package itself. */
import {
  cpSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { REPOSITORY, runCommand, temporaryProject } from './packed-project.ts';

const SOURCE = `const { argv, cwd } = process as { argv: string[]; cwd(): string };
console.log(JSON.stringify({ args: argv.slice(2), folder: cwd() }));
process.exitCode = 7;
`;

let clone: string;
beforeAll(() => {
  clone = temporaryProject('a clone');
  const manifest = {
    name: 'x',
    type: 'module',
    bin: { operant: 'dist/src/cli/main.js', asc: 'dist/asc.js' },
  };
  writeFileSync(join(clone, 'package.json'), JSON.stringify(manifest));
  mkdirSync(join(clone, 'src/cli'), { recursive: true });
  mkdirSync(join(clone, 'node_modules/.bin'), { recursive: true });
  writeFileSync(join(clone, 'src/cli/main.ts'), SOURCE);
  writeFileSync(join(clone, 'node_modules/.bin/asc'), 'of somebody else');
  symlinkSync(realpathSync(join(REPOSITORY, 'node_modules/tsx')), join(clone, 'node_modules/tsx'));
  cpSync(join(REPOSITORY, '.ci'), join(clone, '.ci'), { recursive: true });
});
afterAll(() => rmSync(clone, { recursive: true, force: true }));

function link(): void {
  const module = pathToFileURL(join(REPOSITORY, '.ci/link-bins.mjs')).href;
  const script = `import { linkBins } from ${JSON.stringify(module)}; linkBins(process.argv[1]);`;
  const run = runCommand(process.execPath, ['--input-type=module', '-e', script, clone], clone);
  expect(run.status, run.stderr).toBe(0);
}

describe.skipIf(process.platform === 'win32')('bins of a clone', () => {
  test('run the sources in the folder they are called from, with their arguments and exit code', () => {
    link();
    const folder = join(clone, 'src');
    for (const [command, args] of [
      [join(clone, 'node_modules/.bin/operant'), []],
      ['npx', ['--no-install', 'operant']],
    ] as const) {
      const run = runCommand(command, [...args, 'doctor', 'two words', '--x=$y'], folder);
      expect(run.status, run.stderr).toBe(7);
      expect(JSON.parse(run.stdout)).toEqual({ args: ['doctor', 'two words', '--x=$y'], folder });
    }
  });

  test('are written again, and never over a file of somebody else', () => {
    const path = join(clone, 'node_modules/.bin/operant');
    const before = readFileSync(path, 'utf8');
    link();
    expect(readFileSync(path, 'utf8')).toBe(before);
    expect(statSync(path).mode & 0o111).toBe(0o111);
    expect(readFileSync(join(clone, 'node_modules/.bin/asc'), 'utf8')).toBe('of somebody else');
  });
});
