/** Holds algorithms/ppo/README.md to the code. */
import { existsSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { ppoOptions } from '../../../algorithms/ppo/config.ts';
import { ppoMetrics } from '../../../algorithms/ppo/metrics.ts';

const ROOT = new URL('../../../', import.meta.url);
const text = readFileSync(new URL('algorithms/ppo/README.md', ROOT), 'utf8');
const table = text.slice(text.indexOf('## The 37 details'), text.indexOf('## Where we differ'));

test('every function named with its file is declared there', () => {
  const places = [...text.matchAll(/`([\w/.-]+\.ts)` \(`(\w+)`\)/g)];
  expect(places.length).toBeGreaterThan(40);
  const missing = places.filter(([, file, name]) => {
    if (!existsSync(new URL(file, ROOT))) return true;
    const source = readFileSync(new URL(file, ROOT), 'utf8');
    return !new RegExp(`\\b(function|const) ${name}\\b`).test(source);
  });
  expect(missing.map(([place]) => place)).toEqual([]);
});

test('every file named exists', () => {
  const paths = [...text.matchAll(/(?:^|[\s`(])((?:src|docs|test|algorithms)\/[\w/.-]*\w)/g)].map(
    ([, path]) => path,
  );
  expect(paths.length).toBeGreaterThan(40);
  expect(paths.filter((path) => !existsSync(new URL(path, ROOT)))).toEqual([]);
});

test('defaults are those of the declarations', () => {
  const declared = Object.assign({}, ...Object.values(ppoOptions)) as Record<string, { default: unknown }>;
  const claims = [...table.matchAll(/`(\w+)` = ([^\s;|]+)/g)];
  expect(claims.length).toBeGreaterThan(25);
  for (const [, name, value] of claims) {
    const claimed: unknown = JSON.parse(value);
    const actual = declared[name]?.default;
    if (typeof actual === 'number') expect([name, claimed]).toEqual([name, expect.closeTo(actual, 8)]);
    else expect([name, claimed]).toEqual([name, actual]);
  }
});

test('all details are there, in order', () => {
  const numbers = [...table.matchAll(/^\| (\d+) \|/gm)].map(([, number]) => Number(number));
  expect(numbers).toEqual(Array.from({ length: 37 }, (_, k) => k + 1));
});

test('every metric of the update has its unit and formula', () => {
  for (const [key, { unit, formula }] of Object.entries(ppoMetrics)) {
    if (key.startsWith('train/'))
      expect(text).toContain(`| \`${key}\` | ${unit} | ${formula.replaceAll('|', '\\|')} |`);
  }
  for (const [, key] of text.matchAll(/`(train\/\w+)`/g)) expect(Object.keys(ppoMetrics)).toContain(key);
});

test('every option named is declared', () => {
  const declared = Object.values(ppoOptions).flatMap((section) => Object.keys(section));
  const named = [
    ...text.matchAll(
      /`((?:num|clip|normalize|adam|use|squash|value|entropy|gae|target|max|hidden|policy|shared|log|schedule|non|min)[A-Z]\w*)`/g,
    ),
  ];
  expect(named.length).toBeGreaterThan(40);
  const others = ['clipFraction', 'maxAndSkipObservation', 'valueErrors', 'adamStep', 'adamSlice'];
  const unknown = named
    .map(([, name]) => name)
    .filter((name) => !declared.includes(name) && !others.includes(name));
  expect(unknown).toEqual([]);
});
