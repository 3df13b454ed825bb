import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { isMetricKey, METRICS } from '../../src/metrics/metric-keys.ts';

test('docs/metrics.md lists every metric with its unit, window and formula, and no other', () => {
  const text = readFileSync(new URL('../../docs/metrics.md', import.meta.url), 'utf8');
  const rows = text.split('\n').filter((line) => line.startsWith('| `'));
  const expected = Object.entries(METRICS).map(
    ([key, { unit, window, formula }]) =>
      `| \`${key}\` | ${unit} | ${window} | ${formula.replaceAll('|', '\\|')} |`,
  );
  expect(rows).toEqual(expected);
});

test('keys are camelCase in one of the groups, and user metrics count as keys', () => {
  for (const key of Object.keys(METRICS))
    expect(key).toMatch(/^(rollout|train|time|evaluation)\/[a-z][A-Za-z0-9]*$/);
  expect(isMetricKey('train/policyLoss')).toBe(true);
  expect(isMetricKey('env/fuel')).toBe(true);
  expect(isMetricKey('train/policyloss')).toBe(false);
  expect(isMetricKey('toString')).toBe(false);
});
