/** What docs/ takes from declarations is what these say. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { reference } from '../../.ci/docs.ts';

test.each(['options.md', 'metrics.md'] as const)('docs/%s', async (name) => {
  const page = readFileSync(new URL(`../../docs/${name}`, import.meta.url), 'utf8');
  expect((await reference())[name], 'run `npm run docs`').toBe(page);
});
