import { describe, expect, it } from 'vitest';
import { DROPOUT_SEEDS, dropUnits, fillDropoutSeeds } from '../../src/learner/dropout.ts';
import { openStream } from '../../src/random/streams.ts';

const NUM_UNITS = 256;

/** [rows][units] 1 where a unit is dropped. */
function rowsOf(rate: number, numRows: number, draw: number, stream = openStream(3, 'seeds')) {
  const seeds = new Int32Array(numRows);
  fillDropoutSeeds(stream, { columns: { [DROPOUT_SEEDS]: seeds } });
  return Array.from(seeds, (seed) => {
    const units = new Int32Array(NUM_UNITS);
    const count = dropUnits(seed, draw, rate, NUM_UNITS, units);
    const row = new Uint8Array(NUM_UNITS);
    for (const unit of units.subarray(0, count)) row[unit] = 1;
    expect(new Set(units.subarray(0, count)).size).toBe(count);
    return row;
  });
}

const share = (rows: readonly Uint8Array[], isHit: (row: Uint8Array, j: number) => boolean) =>
  rows.reduce((sum, row) => sum + row.filter((_, j) => isHit(row, j)).length, 0) / (rows.length * NUM_UNITS);

describe('what dropout drops', () => {
  it.each([0.01, 0.1, 0.5, 0.9])('is each unit with probability %d, whatever its neighbour is', (rate) => {
    const numRows = 2000;
    const rows = rowsOf(rate, numRows, 1);
    const error = (p: number, count: number) => 5 * Math.sqrt((p * (1 - p)) / count);
    expect(Math.abs(share(rows, (row, j) => row[j] === 1) - rate)).toBeLessThan(
      error(rate, numRows * NUM_UNITS),
    );
    // of single units: the first and the last, too
    for (let j = 0; j < NUM_UNITS; j += 51) {
      const count = rows.filter((row) => row[j] === 1).length;
      expect(Math.abs(count / numRows - rate)).toBeLessThan(error(rate, numRows));
    }
    const both =
      share(rows, (row, j) => j > 0 && row[j] === 1 && row[j - 1] === 1) * (NUM_UNITS / (NUM_UNITS - 1));
    expect(Math.abs(both - rate ** 2)).toBeLessThan(error(rate ** 2, numRows * NUM_UNITS));
  });

  it('is independent between rows and between draws', () => {
    const rate = 0.3;
    const [first, draw] = [rowsOf(rate, 400, 0), rowsOf(rate, 400, 1)];
    const next = [...first.slice(1), first[0]];
    for (const other of [draw, next]) {
      const both = first.reduce((sum, row, r) => sum + row.filter((hit, j) => hit && other[r][j]).length, 0);
      expect(Math.abs(both / (400 * NUM_UNITS) - rate ** 2)).toBeLessThan(
        5 * Math.sqrt(0.09 / 400 / NUM_UNITS),
      );
    }
    expect(rowsOf(rate, 400, 0)).toEqual(first);
  });
});
