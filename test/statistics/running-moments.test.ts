import { describe, expect, it } from 'vitest';
import { openStream } from '../../src/random/streams.ts';
import { createObservationNormalizer, createRunningMoments } from '../../src/statistics/running-moments.ts';
import { emptyRollout } from '../reference/empty-rollout.ts';
import { categorical, makeSpec } from '../reference/policy-specs.ts';

/** Population moments of everything at once, in two passes. */
function twoPass(rows: readonly number[][], k: number) {
  const mean = rows.reduce((sum, row) => sum + row[k], 0) / rows.length;
  const variance = rows.reduce((sum, row) => sum + (row[k] - mean) ** 2, 0) / rows.length;
  return { mean, variance };
}

function randomRows(count: number, seed: number): number[][] {
  const stream = openStream(seed, 'rows');
  // far from zero and of very different sizes, where one-pass formulas lose digits
  return Array.from({ length: count }, () => [
    1e6 + stream.normal(),
    1e-4 * stream.normal(),
    5 * stream.uniform(),
  ]);
}

describe('createRunningMoments', () => {
  it('agrees with two passes over everything, however it was split', () => {
    const rows = randomRows(1000, 1);
    for (const sizes of [[1000], [1, 999], [1, 1, 1, 997], [250, 250, 250, 250], [999, 1]]) {
      const moments = createRunningMoments(3);
      let begin = 0;
      for (const size of sizes) {
        moments.add(rows.slice(begin, begin + size).flat(), size);
        begin += size;
      }
      for (let k = 0; k < 3; k++) {
        const { mean, variance } = twoPass(rows, k);
        expect(Math.abs(moments.mean[k] / mean - 1)).toBeLessThan(1e-12);
        expect(Math.abs(moments.variance(k) / variance - 1)).toBeLessThan(1e-9);
      }
    }
  });

  it('agrees with a case worked by hand', () => {
    const moments = createRunningMoments(1);
    moments.add([1, 3], 2);
    moments.add([5], 1);
    expect(moments.mean[0]).toBeCloseTo(3, 14);
    expect(moments.variance(0)).toBeCloseTo(8 / 3, 14);
  });

  it('starts at mean 0, variance 1, and ignores an empty batch', () => {
    const moments = createRunningMoments(2);
    moments.add([], 0);
    expect([...moments.mean]).toEqual([0, 0]);
    expect(moments.variance(0)).toBe(1);
    moments.add([4, 5], 1);
    expect([...moments.mean]).toEqual([4, 5]);
    expect(moments.variance(1)).toBe(1); // one row has no variance yet
  });

  it('goes on from a stored state bit for bit', () => {
    const rows = randomRows(300, 2);
    const unbroken = createRunningMoments(3);
    unbroken.add(rows.slice(0, 100).flat(), 100);
    const resumed = createRunningMoments(3);
    resumed.setState(JSON.parse(JSON.stringify(unbroken.getState())));
    for (const moments of [unbroken, resumed]) moments.add(rows.slice(100).flat(), 200);
    expect(resumed.getState()).toEqual(unbroken.getState());
  });
});

describe('createObservationNormalizer', () => {
  const spec = makeSpec(categorical(2), { observationSize: 2 });

  it('is the identity before the first rollout', () => {
    const normalizer = createObservationNormalizer(2);
    expect([...normalizer.mean]).toEqual([0, 0]);
    expect([...normalizer.inverseStd]).toEqual([1, 1]);
  });

  it('holds mean and 1 / sqrt(variance + 1e-8) of all observations so far', () => {
    const stream = openStream(3, 'observations');
    const normalizer = createObservationNormalizer(2);
    const seen: number[][] = [];
    for (const [N, T] of [
      [2, 3],
      [4, 10],
    ]) {
      const rollout = emptyRollout(spec, N, T);
      for (let i = 0; i < N * T; i++) {
        rollout.observations.set([7, 2 + stream.normal()], 2 * i); // the first element never varies
        seen.push([...rollout.observations.subarray(2 * i, 2 * i + 2)]);
      }
      normalizer.absorb(rollout);
      const { mean, variance } = twoPass(seen, 1);
      expect(normalizer.mean[1]).toBeCloseTo(mean, 5);
      expect(normalizer.inverseStd[1]).toBeCloseTo(1 / Math.sqrt(variance + 1e-8), 5);
      expect(normalizer.mean[0]).toBe(7);
      expect(normalizer.inverseStd[0]).toBeCloseTo(1e4, 2);
    }
  });

  it('restores what it acts with, not only what it has counted', () => {
    const rollout = emptyRollout(spec, 2, 4);
    const stream = openStream(4, 'observations');
    rollout.observations.forEach((_, i) => {
      rollout.observations[i] = stream.normal();
    });
    const first = createObservationNormalizer(2);
    first.absorb(rollout);
    const second = createObservationNormalizer(2);
    second.setState(JSON.parse(JSON.stringify(first.getState())));
    expect([...second.mean]).toEqual([...first.mean]);
    expect([...second.inverseStd]).toEqual([...first.inverseStd]);
  });
});
