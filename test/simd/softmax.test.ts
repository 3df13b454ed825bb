import { describe, expect, it } from 'vitest';
import { createArena, createArenaPlanner } from '../../src/memory/arena.ts';
import { openStream } from '../../src/random/streams.ts';
import { instantiateKernels, loadKernels } from '../../src/simd/loader.ts';

const MODULES = { relaxed: await loadKernels(), strict: await loadKernels({ deterministic: true }) };
const UNTOUCHED = -12345;

function openRows(build: 'relaxed' | 'strict', rows: number, columns: number) {
  const planner = createArenaPlanner();
  const [values, probabilities, logSums] = [rows * columns, rows * columns, rows].map(
    (count) => planner.reserve(4 * count + 64).offset,
  );
  const arena = createArena(planner);
  const kernels = instantiateKernels(MODULES[build], arena.memory);
  const view = (address: number, count: number) =>
    new Float32Array(arena.buffer, address, count + 16).fill(UNTOUCHED);
  return {
    values: view(values, rows * columns),
    probabilities: view(probabilities, rows * columns),
    logSums: view(logSums, rows),
    run: () => kernels.softmax(values, rows, columns, probabilities, logSums),
    runInPlace: () => kernels.softmax(values, rows, columns, values, logSums),
  };
}

describe.each(['relaxed', 'strict'] as const)('softmax kernel, %s build', (build) => {
  it.each([1, 2, 3, 4, 5, 7, 8, 51, 101])(
    'of %i columns agrees with float64, and stores no further',
    (columns) => {
      const rows = 5;
      const stream = openStream(10, 'softmax', columns);
      const { values, probabilities, logSums, run, runInPlace } = openRows(build, rows, columns);
      for (let k = 0; k < rows * columns; k++) values[k] = 4 * stream.normal() + (k < columns ? 200 : -300);
      run();
      for (let r = 0; r < rows; r++) {
        const row = Array.from(values.subarray(r * columns, (r + 1) * columns));
        const top = Math.max(...row);
        const sum = row.reduce((total, x) => total + Math.exp(x - top), 0);
        expect(Math.abs(logSums[r] - (top + Math.log(sum)))).toBeLessThan(5e-5);
        for (const [j, x] of row.entries())
          expect(Math.abs(probabilities[r * columns + j] - Math.exp(x - top) / sum)).toBeLessThan(1e-6);
      }
      const behind = [probabilities.subarray(rows * columns), logSums.subarray(rows)];
      for (const marker of behind) expect(marker.every((x) => x === UNTOUCHED)).toBe(true);
      runInPlace();
      expect(values).toEqual(probabilities);
    },
  );

  it('says NaN where a value is', () => {
    const { values, probabilities, run } = openRows(build, 2, 5);
    values.fill(1);
    values[3] = Number.NaN;
    run();
    expect(Array.from(probabilities.subarray(0, 5)).every(Number.isNaN)).toBe(true);
    expect(probabilities[5]).toBeCloseTo(0.2, 6);
  });
});
