/** What docs/ and the README take from declarations is what these say. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { reference } from '../../.ci/docs.ts';

test.each(['docs/options.md', 'docs/metrics.md', 'README.md'] as const)('%s', async (path) => {
  const page = readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
  expect((await reference())[path], 'run `npm run docs`').toBe(page);
});
