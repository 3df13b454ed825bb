import { beforeAll, describe, expect, it } from 'vitest';
import { createArena, createArenaPlanner } from '../../src/memory/arena.ts';
import { openStream } from '../../src/random/streams.ts';
import { instantiateKernels, type KernelModule, loadKernels } from '../../src/simd/loader.ts';

let builds: Record<'relaxed' | 'strict', KernelModule>;
beforeAll(async () => {
  builds = { relaxed: await loadKernels(), strict: await loadKernels({ deterministic: true }) };
}, 120_000);

const UNTOUCHED = -12345;
const padTo = (n: number, multiple: number) => Math.ceil(n / multiple) * multiple;

/** Matrices [rows, columns] with a row stride of their own, in one arena; what is not written keeps a marker. */
function makeMatrices(build: 'relaxed' | 'strict', shapes: Record<string, [rows: number, stride: number]>) {
  const planner = createArenaPlanner();
  const regions = Object.entries(shapes).map(([name, [rows, stride]]) => ({
    name,
    stride,
    region: planner.reserve(4 * rows * stride + 64),
    length: rows * stride,
  }));
  const arena = createArena(planner);
  const matrices = Object.fromEntries(
    regions.map(({ name, stride, region, length }) => {
      const values = new Float32Array(arena.buffer, region.offset, length).fill(UNTOUCHED);
      return [name, { values, address: region.offset, stride, bytes: 4 * stride }];
    }),
  );
  return { matrices, kernels: instantiateKernels(builds[build], arena.memory) };
}

/** Sum of products, its float32 tolerance, and the sum of magnitudes that it follows from. */
function check(actual: number, products: number[], start: number) {
  const exact = products.reduce((sum, x) => sum + x, start);
  const magnitude = products.reduce((sum, x) => sum + Math.abs(x), Math.abs(start));
  expect(Math.abs(actual - exact)).toBeLessThan(1e-6 * (magnitude + 1e-3));
}

const range = (n: number) => Array.from({ length: n }, (_, k) => k);

describe.each(['relaxed', 'strict'] as const)('matrix kernels, %s build', (build) => {
  const stream = openStream(4, 'matrix');
  const size = () => 1 + stream.integer(300);
  const fill = (values: Float32Array) => {
    for (let k = 0; k < values.length; k++) values[k] = stream.normal();
  };
  const sizes = [1, 2, 3, 4, 5, 8, 9, 15, 16, 17, 31, 33, 64];

  it.each([...sizes, ...range(8).map(size)])(
    'multiplies into %i columns, and stores no further',
    (columns) => {
      const rows = 1 + stream.integer(12);
      const depth = size();
      const paddedRows = padTo(rows, 4);
      const ldc = columns + 3;
      const shapes = {
        a: [paddedRows, depth],
        w: [depth, columns],
        b: [1, columns],
        c: [paddedRows, ldc],
      } as const;
      const { matrices, kernels } = makeMatrices(build, structuredClone(shapes) as never);
      const { a, w, b, c } = matrices;
      for (const { values } of [a, w, b]) fill(values);
      for (const accumulate of [false, true]) {
        const before = c.values.slice();
        const bias = accumulate ? 0 : b.address;
        kernels.multiply(
          a.address,
          a.bytes,
          w.address,
          w.bytes,
          bias,
          depth,
          c.address,
          c.bytes,
          rows,
          columns,
          accumulate ? 1 : 0,
        );
        for (let r = 0; r < rows; r++) {
          for (let j = 0; j < columns; j++) {
            const products = range(depth).map((k) => a.values[r * depth + k] * w.values[k * columns + j]);
            check(c.values[r * ldc + j], products, accumulate ? before[r * ldc + j] : b.values[j]);
          }
          expect(Array.from(c.values.subarray(r * ldc + columns, (r + 1) * ldc))).toEqual([
            UNTOUCHED,
            UNTOUCHED,
            UNTOUCHED,
          ]);
        }
      }
    },
  );

  it.each([...sizes, ...range(8).map(size)])('gives outer products of %i columns, dense', (columns) => {
    const rows = 1 + stream.integer(70);
    const inputs = 1 + stream.integer(120);
    const lda = padTo(inputs, 16);
    const ldd = padTo(columns, 16);
    const shapes = { a: [rows, lda], d: [rows, ldd], g: [inputs + 1, columns], s: [2, columns] } as const;
    const { matrices, kernels } = makeMatrices(build, structuredClone(shapes) as never);
    const { a, d, g, s } = matrices;
    for (const { values } of [a, d]) fill(values);
    for (const accumulate of [0, 1]) {
      const before = g.values.slice();
      const sumsBefore = s.values.slice();
      kernels.outerProduct(
        a.address,
        a.bytes,
        d.address,
        d.bytes,
        rows,
        inputs,
        g.address,
        g.bytes,
        columns,
        accumulate,
      );
      kernels.columnSums(d.address, d.bytes, rows, columns, s.address, accumulate);
      for (let i = 0; i < inputs; i += 1 + stream.integer(4)) {
        for (let j = 0; j < columns; j++) {
          const products = range(rows).map((r) => a.values[r * lda + i] * d.values[r * ldd + j]);
          check(g.values[i * columns + j], products, accumulate ? before[i * columns + j] : 0);
        }
      }
      for (let j = 0; j < columns; j++)
        check(
          s.values[j],
          range(rows).map((r) => d.values[r * ldd + j]),
          accumulate ? sumsBefore[j] : 0,
        );
      expect(g.values.subarray(inputs * columns).every((x) => x === UNTOUCHED)).toBe(true);
      expect(s.values.subarray(columns).every((x) => x === UNTOUCHED)).toBe(true);
    }
  });

  it('transposes', () => {
    for (let k = 0; k < 20; k++) {
      const inputs = 1 + stream.integer(70);
      const columns = 1 + stream.integer(70);
      const ldt = padTo(inputs, 16);
      const shapes = { w: [inputs, columns], t: [columns + 1, ldt] } as const;
      const { matrices, kernels } = makeMatrices(build, structuredClone(shapes) as never);
      const { w, t } = matrices;
      fill(w.values);
      kernels.transpose(w.address, w.bytes, inputs, columns, t.address, t.bytes);
      for (let i = 0; i < inputs; i++)
        for (let j = 0; j < columns; j++) expect(t.values[j * ldt + i]).toBe(w.values[i * columns + j]);
      expect(t.values.subarray(columns * ldt).every((x) => x === UNTOUCHED)).toBe(true);
    }
  });
});
