/** Worked by hand. */
import { expect, it } from 'vitest';
import { mean, quantile, sampleDeviation } from '../../src/statistics/sample.ts';

it('mean and deviation with n - 1', () => {
  expect(mean([1, 2, 3, 4])).toBe(2.5);
  expect(sampleDeviation([1, 2, 3, 4])).toBeCloseTo(Math.sqrt(5 / 3), 15);
  expect(sampleDeviation([7])).toBe(0);
});

it('quantiles lie between order statistics, whatever the order and beside infinities', () => {
  expect(quantile([4, 1, 3, 2], 0.75)).toBe(3.25);
  expect(quantile([2, 1], 0.5)).toBe(1.5);
  expect(quantile([1, 2, Infinity], 0.5)).toBe(2);
  expect([0, 1].map((q) => quantile([5, 9, 7], q))).toEqual([5, 9]);
});
