/** Schedulers, by hand. */
import { describe, expect, it } from 'vitest';
import { createAsha } from '../../src/tune/schedulers/asha.ts';
import { createMedianStopping } from '../../src/tune/schedulers/median.ts';

describe('asha', () => {
  const asha = createAsha({ numSteps: 100, gracePeriod: 1, reductionFactor: 4 });

  it('has rungs at powers of the reduction factor', () => {
    expect(asha.milestones).toEqual([1, 4, 16, 64]);
  });

  it('lets the first at a rung go on, then whoever is in the upper quarter of those before', () => {
    expect(asha.goesOn([-5], [])).toBe(true);
    // before it: 1, 2, 3, 4, 5; the 75th percentile is 4
    const before = [[1], [2], [3], [4], [5]];
    expect(asha.goesOn([4], before)).toBe(true);
    expect(asha.goesOn([3.9], before)).toBe(false);
    // between order statistics: 1, 2 give 1.75
    expect(asha.goesOn([1.8], before.slice(0, 2))).toBe(true);
    expect(asha.goesOn([1.7], before.slice(0, 2))).toBe(false);
  });

  it('compares at a later rung only with those that came there', () => {
    expect(asha.goesOn([9, 2], [[1], [3, 3], [8]])).toBe(false);
    expect(asha.goesOn([9, 2], [[1], [8]])).toBe(true);
  });
});

describe('median stopping', () => {
  const median = createMedianStopping({ numSteps: 100, gracePeriod: 20, numParts: 10 });

  it('asks at the end of each tenth from the grace period on', () => {
    expect(median.milestones).toEqual([20, 30, 40, 50, 60, 70, 80, 90]);
  });

  it("holds a trial's best against the median of the others' means so far", () => {
    const before = [
      [1, 3], // mean 2
      [4, 6], // mean 5
      [5, 9], // mean 7
    ];
    expect(median.goesOn([5, 0], before)).toBe(true);
    expect(median.goesOn([4.9, 0], before)).toBe(false);
    expect(median.goesOn([0, 0], before.slice(1))).toBe(true); // too few to judge by
    expect(median.goesOn([4.9, 0], [...before.slice(1), [1]])).toBe(true); // one of three has not come so far
  });
});
