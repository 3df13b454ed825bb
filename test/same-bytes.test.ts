/** What `toEqual` says of typed arrays, told of their bytes, is what it says of their elements. */
import { expect, test } from 'vitest';

test('the same bytes are equal, wherever they lie', () => {
  const all = Float32Array.of(9, 1, Number.NaN, -0);
  const shared = new Float32Array(new SharedArrayBuffer(12));
  shared.set(all.subarray(1));
  expect({ weights: [all.subarray(1)] }).toEqual({ weights: [shared] });
});

test.each([
  [Float32Array.of(1, 2), Float32Array.of(1, 3)],
  [Float32Array.of(0), Float32Array.of(-0)],
  [Float32Array.of(0), Int32Array.of(0)],
  [Float32Array.of(1), Float32Array.of(1, 1)],
  [new Uint8Array(0), Uint8Array.of(0)],
])('%o is not %o', (one, other) => {
  expect([one]).not.toEqual([other]);
});

test('NaNs of other bits are equal, as numbers are', () => {
  const [one, other] = [0x7fc00000, 0x7fc00001].map((bits) => new Float32Array(Uint32Array.of(bits).buffer));
  expect(one).toEqual(other);
});
