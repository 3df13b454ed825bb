import { expect, test } from 'vitest';
import { addMetric, type MetricSums, meansOf } from '../../src/rollout/metric-sums.ts';

test('sums are averaged', () => {
  const sums: MetricSums = {};
  for (const value of [1, 2, 6]) addMetric(sums, 'speed', value);
  expect(meansOf(sums)).toEqual({ speed: 3 });
});

test('names that grow with every step end with what to do about them, instead of a log that never ends', () => {
  const sums: MetricSums = {};
  for (let k = 0; k < 1000; k++) addMetric(sums, `ball ${k}`, k);
  addMetric(sums, 'ball 7', 1); // a known one is none more
  expect(() => addMetric(sums, 'ball 1000', 1)).toThrow(
    expect.objectContaining({
      code: 'ENV_METRICS',
      message: expect.stringMatching(/at most 1000.*fixed names/),
    }),
  );
});
