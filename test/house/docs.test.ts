/** What docs/ and the README take from declarations is what these say. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { reference } from '../../.ci/docs.ts';

test.each(['docs/options.md', 'docs/metrics.md', 'docs/api.md', 'README.md'] as const)('%s', async (path) => {
  const page = readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
  expect((await reference())[path], 'run `npm run docs`').toBe(page);
});

test('the API reference has what is exported', async () => {
  const page = (await reference())['docs/api.md'];
  const names = Object.keys(await import('../../src/index.ts'));
  for (const name of names) expect(page).toContain(`### ${name}\n`);
});

test('every declaration in the API reference is whole: what it opens it closes', async () => {
  const page = (await reference())['docs/api.md'];
  const declarations = [
    ...page.matchAll(/^```ts\n(function|async function|interface|type)([\s\S]*?)^```$/gm),
  ];
  expect(declarations.length).toBeGreaterThan(100);
  const depth = (code: string, open: string, close: string) =>
    code.split(open).length - code.split(close).length;
  const isCut = (code: string) =>
    [['(', ')'] as const, ['{', '}'] as const].some(([open, close]) => depth(code, open, close) !== 0);
  const codes = declarations.map(([block]) => block.replace(/\/\*[\s\S]*?\*\/|'[^'\n]*'/g, ''));
  expect(codes.filter(isCut)).toEqual([]);
});
