import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test, vi } from 'vitest';
import { ppoOptions } from '../../algorithms/ppo/config.ts';
import { runCommand } from '../package/packed-project.ts';
import { temporaryFolder } from '../temporary-folder.ts';
import { readmeCode, readmeExamples } from './readme-code.ts';

vi.setConfig({ testTimeout: 300_000 });

const root = fileURLToPath(new URL('../..', import.meta.url));
const read = (path: string) => readFileSync(`${root}/${path}`, 'utf8');
const readme = read('README.md');
const TSX = fileURLToPath(import.meta.resolve('tsx'));
const optionNames = Object.values(ppoOptions).flatMap((section) => Object.keys(section));

describe("the README's examples", () => {
  test.each([...readmeExamples().keys()])(
    '%s is the file in examples/, which imports the package by path',
    (name) => {
      expect(readmeCode(name)).toBe(read(`examples/${name}.ts`).replace("'../src/index.ts'", "'operant'"));
    },
  );

  test('are as short as promised', () => {
    expect(readmeCode('quick-start').trimEnd().split('\n').length).toBeLessThanOrEqual(24);
    expect(readmeCode('catch').trimEnd().split('\n').length).toBeLessThanOrEqual(30);
  });

  test('the quick start solves CartPole', () => {
    const run = runCommand(
      process.execPath,
      ['--import', TSX, `${root}/examples/quick-start.ts`],
      temporaryFolder(),
    );
    expect(run.status, run.stderr).toBe(0);
    const evaluated = /Evaluated over 100 episodes: ([\d.]+)/.exec(run.stdout)?.[1];
    expect(Number(evaluated)).toBeGreaterThanOrEqual(475);
  });

  test('the environment of one file is learned from the command line', () => {
    const folder = temporaryFolder();
    const flags = [
      '--algo',
      'ppo',
      '--env',
      `${root}/examples/catch.ts`,
      '--env-options',
      '{"width": 7}',
      '--stop-return',
      '0.95',
    ];
    const limits = ['--stop-steps', '150000', '--seed', '1', '--out', `${folder}/run`, '--json'];
    const run = runCommand(
      process.execPath,
      ['--import', TSX, `${root}/src/cli/train.ts`, ...flags, ...limits],
      folder,
    );
    expect(run.status, run.stderr).toBe(0);
    expect(JSON.parse(run.stdout.trim().split('\n').at(-1) ?? '')).toMatchObject({
      type: 'summary',
      stopReason: 'stopReturn',
    });
  });
});

describe("the README's tables", () => {
  test('every file it links to is there', () => {
    const links = [...readme.matchAll(/\]\((?!http)([^)#]+)[^)]*\)/g)].map(([, path]) => path);
    expect(links.length).toBeGreaterThan(5);
    expect(links.filter((path) => !existsSync(`${root}/${path}`))).toEqual([]);
  });

  test('every option in the first column of the option table is declared', () => {
    const table = readme.slice(
      readme.indexOf('| Option | Flag |'),
      readme.indexOf('Sections of the builder'),
    );
    const named = [...table.matchAll(/^\| (`.*?`) \|/gm)].flatMap(([, cell]) =>
      [...cell.matchAll(/`(\w+)`/g)].map(([, name]) => name),
    );
    expect(named.length).toBeGreaterThan(10);
    expect(named.filter((name) => !optionNames.includes(name))).toEqual([]);
  });

  test('every option in the right column of the RLlib table is declared, and knows the RLlib name', () => {
    const options = Object.assign({}, ...Object.values(ppoOptions)) as Record<
      string,
      { alsoCalled?: readonly string[] }
    >;
    const start = readme.indexOf('| `num_env_runners`');
    const rows = readme.slice(start, readme.indexOf('| `MeanStdFilter`')).trim().split('\n');
    const pairs = rows.flatMap((row) => {
      const [left, right] = row
        .split('|')
        .slice(1, 3)
        .map((cell) => [...cell.matchAll(/`(\w+)`/g)].map(([, name]) => name));
      return left.map((name, k) => [name, right[k]] as const).filter(([, ours]) => ours in options);
    });
    expect(pairs.length).toBeGreaterThan(14);
    const spelled = (name: string) => name.replace(/_/g, '').toLowerCase();
    for (const [theirs, ours] of pairs)
      expect([ours, ...(options[ours].alsoCalled ?? [])].map(spelled), `${theirs} of ${ours}`).toContain(
        spelled(theirs),
      );
  });
});
