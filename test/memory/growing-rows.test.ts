import { expect, test } from 'vitest';
import { createGrowingRows } from '../../src/memory/growing-rows.ts';

test('keeps what was added, across many doublings, and gives copies', () => {
  const rows = createGrowingRows((length) => new Float32Array(length));
  expect(rows.copy()).toEqual(new Float32Array(0));
  const expected: number[] = [];
  for (let k = 0; k < 500; k++) {
    const row = Float32Array.from({ length: k % 7 }, (_, j) => k + j / 8);
    rows.add(row);
    expected.push(...row);
    row.fill(-1);
  }
  const first = rows.copy();
  expect([...first]).toEqual(expected);
  rows.add(new Float32Array(1000).fill(3)); // more than twice what there is room for at once, at first
  expect(rows.copy()).toHaveLength(expected.length + 1000);
  expect([...first]).toEqual(expected);
});
