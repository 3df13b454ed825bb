import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import seedrandom from 'seedrandom';
import { describe, expect, it } from 'vitest';
import { episodeSeed, openStream } from '../../src/random/streams.ts';

describe('openStream', () => {
  it('is seedrandom.alea of the seed and the path', () => {
    const reference = seedrandom.alea('42/noise/3');
    const stream = openStream(42, 'noise', 3);
    for (let k = 0; k < 10; k++) expect(stream.uniform()).toBe(reference());
  });

  it('keeps streams apart by seed and path', () => {
    const first = (...args: Parameters<typeof openStream>) => openStream(...args).uniform();
    const values = [
      first(1, 'a'),
      first(2, 'a'),
      first(1, 'b'),
      first(1, 'a', 0),
      first(1, 'a', 1),
      first(1),
    ];
    expect(new Set(values).size).toBe(values.length);
    expect(first(1, 'a', 1)).toBe(first(1, 'a', 1));
  });

  it('has no coincidence among the names that are in use, whatever the seeds', () => {
    const files = ['src', 'algorithms'].flatMap((folder) =>
      readdirSync(folder, { recursive: true, encoding: 'utf8' })
        .filter((name) => name.endsWith('.ts'))
        .map((name) => join(folder, name)),
    );
    const calls = files.flatMap((name) => [
      ...readFileSync(name, 'utf8').matchAll(/openStream\([^,()]+, ((?:'[\w-]+'(?:, )?)+)/g),
    ]);
    const paths = [...new Set(calls.map(([, path]) => path.replaceAll("'", '')))].map((path) =>
      path.split(', '),
    );
    expect(paths.length).toBeGreaterThan(4);
    const draws = paths.flatMap((path) =>
      Array.from({ length: 200 }, (_, seed) => {
        const stream = openStream(seed, ...path);
        return `${stream.uniform()} ${stream.uniform()}`;
      }),
    );
    expect(new Set(draws).size).toBe(draws.length);
  });

  it('draws uniforms in [0, 1), integers without bias and standard normals', () => {
    const stream = openStream(7, 'statistics');
    const n = 100_000;
    const uniforms = Array.from({ length: n }, stream.uniform);
    expect(uniforms.every((x) => x >= 0 && x < 1)).toBe(true);
    // Standard errors of the means: 0.0009, and 0.003 for normals; 5 of them never happen.
    expect(Math.abs(uniforms.reduce((a, b) => a + b) / n - 0.5)).toBeLessThan(0.005);
    const counts = new Array(7).fill(0);
    for (let k = 0; k < n; k++) counts[stream.integer(7)] += 1;
    const chiSquare = counts.reduce((sum, count) => sum + (count - n / 7) ** 2 / (n / 7), 0);
    expect(chiSquare).toBeLessThan(27.9); // 6 degrees of freedom, p = 1e-4
    const normals = Array.from({ length: n }, stream.normal);
    expect(normals.every(Number.isFinite)).toBe(true);
    const moment = (power: number) => normals.reduce((sum, x) => sum + x ** power, 0) / n;
    expect(Math.abs(moment(1))).toBeLessThan(0.016);
    expect(Math.abs(moment(2) - 1)).toBeLessThan(0.023);
    expect(Math.abs(moment(3))).toBeLessThan(0.07);
    expect(Math.abs(moment(4) - 3)).toBeLessThan(0.16);
  });

  it('takes two uniforms for a normal, so that draws can be replayed by their count', () => {
    const [normals, uniforms] = [openStream(3, 'x'), openStream(3, 'x')];
    for (let k = 0; k < 5; k++) {
      const value = normals.normal();
      const [u, v] = [uniforms.uniform(), uniforms.uniform()];
      expect(value).toBeCloseTo(Math.sqrt(-2 * Math.log(1 - u)) * Math.cos(2 * Math.PI * v), 14);
    }
    expect(normals.getState()).toEqual(uniforms.getState());
  });

  it('goes on from a stored state, and copies it', () => {
    const stream = openStream(5, 'x');
    stream.uniform();
    const state = JSON.parse(JSON.stringify(stream.getState()));
    const expected = [stream.uniform(), stream.normal(), stream.integer(100)];
    for (let k = 0; k < 2; k++) {
      const other = openStream(99, 'y');
      other.setState(state);
      expect([other.uniform(), other.normal(), other.integer(100)]).toEqual(expected);
    }
  });
});

describe('episodeSeed', () => {
  it('is an unsigned 32-bit integer that depends on all of seed, environment and episode', () => {
    const seeds = new Set<number>();
    const inputs = [0, 1, 2, 3, 7, 1000, 2 ** 31, 2 ** 32 - 1, 2 ** 40];
    for (const seed of inputs) {
      for (let n = 0; n < 20; n++) {
        for (let episode = 0; episode < 20; episode++) {
          const value = episodeSeed(seed, n, episode);
          expect(Number.isInteger(value) && value >= 0 && value < 2 ** 32).toBe(true);
          seeds.add(value);
        }
      }
    }
    // 3600 of 2^32: more than 3 collisions would have a chance of 1e-13
    expect(seeds.size).toBeGreaterThan(inputs.length * 400 - 4);
  });

  it('spreads its bits: one more episode flips about half of them', () => {
    let flipped = 0;
    for (let k = 0; k < 1000; k++) {
      let difference = episodeSeed(5, 3, k) ^ episodeSeed(5, 3, k + 1);
      for (; difference !== 0; difference &= difference - 1) flipped += 1;
    }
    expect(flipped / 1000).toBeGreaterThan(15);
    expect(flipped / 1000).toBeLessThan(17);
  });

  it('keeps training, evaluation and substitutes apart, also under the same master seed', () => {
    const seeds: number[] = [];
    const masters = [0, 1, 2, 3, 7, 42, 100, 10_000, 12_345, 2 ** 32 - 1];
    for (const seed of masters) {
      for (let n = 0; n < 8; n++) {
        for (let episode = 0; episode < 8; episode++) seeds.push(episodeSeed(seed, n, episode));
      }
      for (let k = 0; k < 100; k++) seeds.push(episodeSeed(seed, k, 0, 'evaluation'));
      for (let k = 1; k <= 3; k++) seeds.push(episodeSeed(seeds[seeds.length - k], 0, k, 'substitute'));
    }
    // 1670 of 2^32: a single collision by chance has a probability of 3e-4
    expect(new Set(seeds).size).toBe(seeds.length);
  });

  it('never changes: runs are reproducible between versions', () => {
    // Worked out apart from this code, in Python with 32-bit arithmetic.
    expect([
      episodeSeed(0, 0, 0),
      episodeSeed(7, 3, 1),
      episodeSeed(4294967295, 63, 1000),
      episodeSeed(2 ** 40, 1, 2),
    ]).toEqual([4005803912, 4198169929, 1484979759, 2070460662]);
  });
});
