import { existsSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const ROOT = new URL('../../', import.meta.url);

test('docs/reliability.md: every row names a test that exists', () => {
  const text = readFileSync(new URL('docs/reliability.md', ROOT), 'utf8');
  const rows = text.split('\n').filter((line) => line.startsWith('| ') && !line.startsWith('| What happens'));
  expect(rows.length).toBeGreaterThan(30);
  const missing = rows.filter((row) => {
    const [, path, title] = /`(test\/[^`]+)`: (.+) \|$/.exec(row) ?? [];
    if (path === undefined || !existsSync(new URL(path, ROOT))) return true;
    return !readFileSync(new URL(path, ROOT), 'utf8').includes(title);
  });
  expect(missing).toEqual([]);
});
