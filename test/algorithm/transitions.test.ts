import { describe, expect, it } from 'vitest';
import { fillNormals } from '../../src/algorithm/transitions.ts';
import { openStream } from '../../src/random/streams.ts';

describe('fillNormals', () => {
  it('gives independent standard normals', () => {
    const values = new Float32Array(200_001);
    fillNormals(openStream(3, 'normals'), values);
    const mean = (f: (k: number) => number) =>
      Array.from(values.keys()).reduce((sum, k) => sum + f(k), 0) / values.length;
    const next = (k: number) => values[(k + 1) % values.length];
    expect(Math.abs(mean((k) => values[k]))).toBeLessThan(0.01);
    expect(Math.abs(mean((k) => values[k] ** 2) - 1)).toBeLessThan(0.015);
    expect(Math.abs(mean((k) => values[k] ** 4) - 3)).toBeLessThan(0.1);
    // the two of a pair share a radius: neither they nor their squares may be correlated
    expect(Math.abs(mean((k) => values[k] * next(k)))).toBeLessThan(0.01);
    expect(Math.abs(mean((k) => values[k] ** 2 * next(k) ** 2) - 1)).toBeLessThan(0.03);
    expect(mean((k) => (Math.abs(values[k]) > 1.959964 ? 1 : 0))).toBeCloseTo(0.05, 2);
  });

  it('fills all of an odd column, and the same again from the same stream', () => {
    const [first, again] = [new Float32Array(7), new Float32Array(7)];
    fillNormals(openStream(4, 'normals'), first);
    fillNormals(openStream(4, 'normals'), again);
    expect(again).toEqual(first);
    expect(new Set(first).size).toBe(7);
    expect(first.every((x) => x !== 0)).toBe(true);
  });
});
