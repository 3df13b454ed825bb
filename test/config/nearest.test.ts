import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { editDistance, nearestName } from '../../src/config/nearest.ts';

/** The textbook recursion, exponential and obviously right. */
function slowDistance(a: string, b: string): number {
  if (a === '' || b === '') return Math.max(a.length, b.length);
  const [x, y] = [a.slice(0, -1), b.slice(0, -1)];
  const same = a.at(-1) === b.at(-1) ? 0 : 1;
  let least = Math.min(slowDistance(x, y) + same, slowDistance(x, b) + 1, slowDistance(a, y) + 1);
  if (a.length > 1 && b.length > 1 && a.at(-1) === b.at(-2) && a.at(-2) === b.at(-1)) {
    least = Math.min(least, slowDistance(a.slice(0, -2), b.slice(0, -2)) + 1);
  }
  return least;
}

describe('editDistance', () => {
  it.each([
    ['', '', 0],
    ['abc', '', 3],
    ['kitten', 'sitting', 3],
    ['gamma', 'gmama', 1],
    ['gamma', 'gama', 1],
  ])('of %j and %j is %i', (a, b, distance) => {
    expect(editDistance(a, b)).toBe(distance);
  });

  it('agrees with the recursion it is a table for', () => {
    const word = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), maxLength: 5 });
    fc.assert(fc.property(word, word, (a, b) => editDistance(a, b) === slowDistance(a, b)));
  });
});

describe('nearestName', () => {
  const names = ['gamma', 'gaeLambda', 'clipRange', 'numEnvs', 'seed', 'csv'];

  it.each([
    ['gama', 'gamma'],
    ['gmama', 'gamma'],
    ['gae_lambda', 'gaeLambda'],
    ['clip-rnage', 'clipRange'],
    ['numEnv', 'numEnvs'],
    ['SEED', 'seed'],
  ])('finds what %j means', (given, meant) => {
    expect(nearestName(given, names)).toBe(meant);
  });

  it.each(['quux', 'x', '', 'temperature'])('does not guess for %j', (given) => {
    expect(nearestName(given, names)).toBeUndefined();
  });

  it('does not spend long on a long name', () => {
    const start = performance.now();
    expect(nearestName('gamma'.repeat(200_000), names)).toBeUndefined();
    expect(performance.now() - start).toBeLessThan(1000); // the whole table would take minutes
  });
});
