import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { openNumpyRandom, seedSequence } from '../../src/env/numpy-random.ts';

interface Run {
  seed: string;
  sequence: number[];
  draws: string;
}
const url = new URL('../envs/fixtures/numpy-random.json', import.meta.url);
const { runs } = JSON.parse(readFileSync(url, 'utf8')) as { runs: Run[] };

const BOUNDS = [2, 3, 13, 1, 2 ** 20 + 7, 2 ** 31 + 11, 2 ** 32];

describe('numpy.random.default_rng, bit for bit', () => {
  it.each(runs)('seed $seed', ({ seed, sequence, draws }) => {
    expect([...seedSequence(BigInt(seed), 8)]).toEqual(sequence);
    const bytes = new Uint8Array(Buffer.from(draws, 'base64'));
    const expected = [...new Float64Array(bytes.buffer)];
    const random = openNumpyRandom(BigInt(seed));
    const actual = expected.map((_, i) => {
      const k = Math.floor(i / 4);
      return [
        () => random.random(),
        () => random.uniform(-0.6, -0.4),
        () => random.integer(BOUNDS[k % 7]),
        () => random.integer(5),
      ][i % 4]();
    });
    expect(actual).toEqual(expected);
  });

  it('goes on from a saved state, with half a word buffered', () => {
    const random = openNumpyRandom(9);
    random.random();
    random.integer(7);
    const state = JSON.parse(JSON.stringify(random.getState()));
    const expected = [random.integer(7), random.random(), random.integer(100)];
    const other = openNumpyRandom(0);
    other.setState(state);
    expect([other.integer(7), other.random(), other.integer(100)]).toEqual(expected);
  });

  it('refuses seeds that are no natural numbers', () => {
    for (const seed of [-1, 0.5, Number.NaN, -3n]) {
      expect(() => openNumpyRandom(seed)).toThrowError(expect.objectContaining({ code: 'CONFIG_SEED' }));
    }
  });
});
