import { expect, test } from 'vitest';
import { algorithms } from '../../algorithms/registry.ts';
import { SHARED_METRICS } from '../../src/metrics/metric-keys.ts';
import { metricsTable } from '../../src/metrics/metrics-document.ts';

test.each(Object.keys(algorithms))(
  '%s: keys are camelCase in one of the groups, and no shared one',
  async (name) => {
    const { metrics, headline, summary } = await algorithms[name]();
    const isKey = (key: string) => /^(train|time|replay|league)(\/[a-z][A-Za-z0-9]*){1,2}$/.test(key);
    expect(Object.keys(metrics).filter((key) => !isKey(key))).toEqual([]);
    expect(Object.keys(metrics).filter((key) => key in SHARED_METRICS)).toEqual([]);
    const known = { ...SHARED_METRICS, ...metrics };
    expect([...Object.keys(headline), ...summary].filter((key) => !(key in known))).toEqual([]);
  },
);

test('a formula with bars stays in its cell', () => {
  expect(metricsTable({ 'train/x': { unit: '-', window: 'iteration', formula: '|x|' } })).toBe(
    '| Key | Unit | Window | Formula |\n|---|---|---|---|\n| `train/x` | - | iteration | \\|x\\| |',
  );
});
