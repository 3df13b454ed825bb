import { expect, it } from 'vitest';
import { shufflePermutation } from '../../src/random/shuffle.ts';
import { openStream } from '../../src/random/streams.ts';

it('gives every order of 4 the same chance', () => {
  const stream = openStream(1, 'shuffle');
  const counts = new Map<string, number>();
  const indices = new Int32Array(4);
  for (let k = 0; k < 24_000; k++) {
    shufflePermutation(indices, stream);
    const order = indices.join('');
    counts.set(order, (counts.get(order) ?? 0) + 1);
  }
  expect(counts.size).toBe(24);
  const chiSquare = [...counts.values()].reduce((sum, count) => sum + (count - 1000) ** 2 / 1000, 0);
  expect(chiSquare).toBeLessThan(58); // 23 degrees of freedom, p = 1e-4
});

it('is a permutation whatever was there before, and follows from the stream', () => {
  const shuffled = (fill: number) => {
    const indices = new Int32Array(1000).fill(fill);
    shufflePermutation(indices, openStream(2, 'shuffle'));
    return indices;
  };
  expect([...shuffled(0)].sort((a, b) => a - b)).toEqual(Array.from({ length: 1000 }, (_, i) => i));
  expect(shuffled(7)).toEqual(shuffled(0));
});
