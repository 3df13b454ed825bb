import { expect, test } from 'vitest';
import { meanInterval, studentQuantile } from '../../src/statistics/student.ts';

test.each([
  [1, 12.7062],
  [8, 2.306],
  [9, 2.2622],
  [20, 2.086],
  [60, 2.0003],
  [1000, 1.9623],
])('the quantile at %i degrees of freedom, as tables have it', (freedom, expected) => {
  expect(studentQuantile(freedom)).toBeCloseTo(expected, 3);
});

test('an interval worked by hand', () => {
  // mean 3, s = sqrt(10 / 4), s / sqrt(5) = 0.70711, times 2.77645
  const [low, high] = meanInterval([1, 2, 3, 4, 5]) ?? [];
  expect(low).toBeCloseTo(3 - 1.96325, 4);
  expect(high).toBeCloseTo(3 + 1.96325, 4);
  expect(meanInterval([7, 7])).toEqual([7, 7]);
  expect(meanInterval([7])).toBeNull();
});
