import { describe, expect, it } from 'vitest';
import { exponential, exponentialOfNegative } from '../../../src/learner/simd/exponential.ts';
import { openStream } from '../../../src/random/streams.ts';

/** The numbers beside x, and it. */
function around(x: number): number[] {
  const bits = new BigInt64Array(1);
  const view = new Float64Array(bits.buffer);
  return Array.from({ length: 2001 }, (_, k) => {
    view[0] = x;
    bits[0] += BigInt(k - 1000);
    return view[0];
  });
}

function expectSameBits(values: readonly number[]): void {
  const different = values.filter((x) => !Object.is(exponentialOfNegative(x), Math.exp(x)));
  expect(different).toEqual([]);
}

describe('exponentialOfNegative', () => {
  it('gives the bits of Math.exp, whatever the size', () => {
    const stream = openStream(3, 'test');
    for (const largest of [1e-30, 1e-8, 1e-3, 0.4, 1.1, 20, 800])
      expectSameBits(Array.from({ length: 20_000 }, () => -largest * stream.uniform()));
  });

  it('does so for differences of logits, which are f32', () => {
    const stream = openStream(4, 'test');
    for (const scale of [1e-7, 0.01, 1, 30]) {
      const logit = () => Math.fround(scale * stream.normal());
      expectSameBits(Array.from({ length: 20_000 }, () => -Math.abs(logit() - logit())));
    }
  });

  it('does so where fdlibm goes another way, and for what is no number', () => {
    const ln2 = Math.LN2;
    const borders = [
      2 ** -28,
      ln2 / 2,
      0.3465735912322998,
      1.5 * ln2,
      1.0397205352783203,
      1,
      700,
      708.4,
      745.2,
    ];
    for (const border of borders) expectSameBits(around(-border));
    expectSameBits(Array.from({ length: 2000 }, (_, k) => (-k / 2) * ln2));
    expectSameBits([0, -0, -1e8, -Infinity, Number.NaN]);
  });
});

describe('exponential', () => {
  it('gives the bits of Math.exp, near 0 and far from it', () => {
    const stream = openStream(5, 'test');
    const values = [1e-9, 1e-4, 0.1, 0.4, 30].flatMap((scale) =>
      Array.from({ length: 4000 }, () => scale * stream.normal()),
    );
    const borders = [2 ** -28, 0.34657359, Math.LN2 / 2].flatMap((x) => [...around(x), ...around(-x)]);
    const all = [...values, ...borders, 0, -0, Infinity, -Infinity, Number.NaN];
    expect(all.filter((x) => !Object.is(exponential(x), Math.exp(x)))).toEqual([]);
  });
});
