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
