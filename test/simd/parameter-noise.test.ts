import { describe, expect, it } from 'vitest';
import { createArena, createArenaPlanner } from '../../src/memory/arena.ts';
import { openStream } from '../../src/random/streams.ts';
import { instantiateKernels, loadKernels } from '../../src/simd/loader.ts';

const MODULES = { relaxed: await loadKernels(), strict: await loadKernels({ deterministic: true }) };
const UNTOUCHED = -12345;

describe.each(['relaxed', 'strict'] as const)('the kernel of parameter noise, %s build', (build) => {
  it.each([
    [1, 1],
    [3, 4],
    [2, 7],
    [5, 18],
    [64, 33],
  ])(
    'scales %i x %i weights by the outer product of two factors, and stores no further',
    (inputs, outputs) => {
      const count = inputs * outputs;
      const planner = createArenaPlanner();
      const [out, base, a, rows, columns] = [count, count, count, inputs, outputs].map((n) => ({
        n,
        address: planner.reserve(4 * n + 64).offset,
      }));
      const arena = createArena(planner);
      const kernels = instantiateKernels(MODULES[build], arena.memory);
      const view = ({ n, address }: { n: number; address: number }) =>
        new Float32Array(arena.buffer, address, n);
      const stream = openStream(4, 'noise', count);
      for (const part of [base, a, rows, columns])
        view(part).set(Array.from({ length: part.n }, () => stream.normal()));
      const behind = new Float32Array(arena.buffer, out.address + 4 * count, 8).fill(UNTOUCHED);
      const run = (isAdded: boolean, hasRows: boolean) => {
        kernels.scaleByOuter(
          out.address,
          isAdded ? base.address : 0,
          a.address,
          hasRows ? rows.address : 0,
          columns.address,
          inputs,
          outputs,
        );
        view(out).forEach((y, k) => {
          const row = hasRows ? view(rows)[Math.floor(k / outputs)] : 1;
          const expected = (isAdded ? view(base)[k] : 0) + view(a)[k] * (row * view(columns)[k % outputs]);
          expect(Math.abs(y - expected)).toBeLessThan(1e-6 * (1 + Math.abs(expected)));
        });
        expect(behind.every((x) => x === UNTOUCHED)).toBe(true);
      };
      run(true, true);
      run(false, true);
      run(true, false);
      run(false, false);
    },
  );
});
