import { describe, expect, it } from 'vitest';
import { createActionMapping } from '../../src/acting/action-mapping.ts';
import type { DistributionSpec } from '../../src/policy/policy-spec.ts';
import { bernoulli, categorical, makeSpec } from '../reference/policy-specs.ts';

function map(distribution: DistributionSpec, stored: Float32Array | Int32Array): number[] {
  const out =
    stored instanceof Int32Array ? new Int32Array(stored.length + 1) : new Float32Array(stored.length + 1);
  createActionMapping(makeSpec(distribution))(stored, 0, out, 1);
  return [...out.subarray(1)];
}

const box = (squash: boolean): DistributionSpec => ({
  kind: 'gaussian',
  size: 3,
  squash,
  low: [-2, 0, -Infinity],
  high: [2, 10, Infinity],
});

describe('createActionMapping', () => {
  it('passes discrete indices unchanged', () => {
    expect(map(categorical(3, 4), Int32Array.of(2, 3))).toEqual([2, 3]);
    expect(map(bernoulli(3), Int32Array.of(1, 0, 1))).toEqual([1, 0, 1]);
  });

  it('clips continuous actions into their bounds and leaves the stored ones alone', () => {
    const stored = Float32Array.of(-5, 0.5, 1e6);
    expect(map(box(false), stored)).toEqual([-2, 0.5, 1e6]);
    expect(map(box(false), Float32Array.of(5, -1, -1e6))).toEqual([2, 0, -1e6]);
    expect([...stored]).toEqual([-5, 0.5, 1e6]);
  });

  it('maps squashed actions onto the whole range', () => {
    const squashed: DistributionSpec = {
      kind: 'gsde',
      size: 2,
      squash: true,
      sampleFrequency: -1,
      low: [-2, 0],
      high: [2, 10],
    };
    expect(map(squashed, Float32Array.of(0, 0))).toEqual([0, 5]);
    expect(map(squashed, Float32Array.of(30, -30))).toEqual([2, 0]);
    // tanh(ln 2) = (4 - 1) / (4 + 1) = 0.6
    const [a, b] = map(squashed, Float32Array.of(Math.LN2, -Math.LN2));
    expect(a).toBeCloseTo(1.2, 6);
    expect(b).toBeCloseTo(2, 6);
  });

  it('reads and writes at the offsets it is given', () => {
    const out = new Float32Array(4).fill(9);
    createActionMapping(makeSpec({ kind: 'gaussian', size: 1, squash: false, low: [0], high: [1] }))(
      Float32Array.of(7, 0.25, 7),
      1,
      out,
      2,
    );
    expect([...out]).toEqual([9, 9, 0.25, 9]);
  });
});
