import { expect, it } from 'vitest';
import { integerPower } from '../../../src/learner/simd/phases.ts';

it('integerPower is a power within rounding, from multiplications alone', () => {
  expect([0, 1, 2, 3, 10].map((exponent) => integerPower(2, exponent))).toEqual([1, 2, 4, 8, 1024]);
  for (const base of [0.9, 0.999, 0.95]) {
    for (const exponent of [1, 2, 7, 100, 4095, 1_000_000]) {
      const logarithm = exponent * Math.log(base);
      const expected = Math.exp(logarithm);
      const bound = 1e-15 * (10 + exponent) * expected; // half a unit of the last place for each factor
      expect(Math.abs(integerPower(base, exponent) - expected)).toBeLessThanOrEqual(bound);
      expect(integerPower(base, 2 * exponent)).toBeCloseTo(integerPower(base, exponent) ** 2, 12);
    }
  }
});
