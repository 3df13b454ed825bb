import { describe, expect, test } from 'vitest';
import { ticks } from '../../bench/learning/curve.ts';
import {
  deviation,
  differenceInterval,
  mean,
  meanInterval,
  median,
  pairedMedianInterval,
  quantile,
  studentInterval,
} from '../../bench/statistics.ts';

describe('quantile', () => {
  // numpy.quantile([4, 1, 3, 2], [0, 0.25, 0.5, 0.9, 1]) = 1, 1.75, 2.5, 3.7, 4
  test.each([
    [0, 1],
    [0.25, 1.75],
    [0.5, 2.5],
    [0.9, 3.7],
    [1, 4],
  ])('%d of [4, 1, 3, 2] is %d', (q, expected) => {
    expect(quantile([4, 1, 3, 2], q)).toBeCloseTo(expected, 12);
  });

  test('the median of an odd count is the middle one', () => expect(median([9, 1, 5])).toBe(5));
  test('that is finite stays so beside one that is not', () => expect(median([1, 2, Infinity])).toBe(2));
});

test('deviation divides by the count', () => expect(deviation([2, 4, 4, 4, 5, 5, 7, 9])).toBe(2));

describe('bootstrap intervals', () => {
  const values = Array.from({ length: 40 }, (_, k) => ((k * 7919) % 100) / 10);

  test('lie near the normal approximation for 40 values', () => {
    const [low, high] = meanInterval(values);
    const half = (1.96 * deviation(values)) / Math.sqrt(values.length);
    expect(low).toBeCloseTo(mean(values) - half, 0);
    expect(high).toBeCloseTo(mean(values) + half, 0);
  });

  test('of equal values are that value', () => expect(meanInterval([500, 500, 500])).toEqual([500, 500]));

  test("are narrower than Student's for few values", () => {
    // Two degrees of freedom: 2 - 4.303 * 1 / sqrt(3).
    expect(studentInterval([1, 2, 3])[0]).toBeCloseTo(-0.4844, 3);
    expect(studentInterval([1, 2, 3])[1]).toBeCloseTo(4.4844, 3);
    expect(studentInterval([1, 2, 3])[0]).toBeLessThan(meanInterval([1, 2, 3])[0]);
    expect(studentInterval([5])).toEqual([-Infinity, Infinity]);
  });

  test('of a difference contain 0 for the same values and not for shifted ones', () => {
    const [low, high] = differenceInterval(values, values);
    expect(low).toBeLessThan(0);
    expect(high).toBeGreaterThan(0);
    const shifted = differenceInterval(
      values.map((value) => value + 10),
      values,
    );
    expect(shifted[0]).toBeGreaterThan(5);
  });

  test('of a difference of medians in pairs know that values belong together', () => {
    const shifted = values.map((value) => value + 10);
    const [low, high] = pairedMedianInterval(shifted, values);
    expect(low).toBeCloseTo(10, 12);
    expect(high).toBeCloseTo(10, 12);
    // the median of three draws is 3 in 7 of 27 resamples, so both ends are reached
    expect(pairedMedianInterval([0, 0, 3], [0, 0, 0])).toEqual([0, 3]);
  });

  test('are the same in every report', () => expect(meanInterval(values)).toEqual(meanInterval(values)));
});

test('ticks are round and inside', () => {
  expect(ticks(-3, 512)).toEqual([0, 200, 400]);
  expect(ticks(0, 1)).toEqual([0, 0.2, 0.4, 0.6, 0.8, 1]);
});
