import { beforeAll, describe, expect, it } from 'vitest';
import { createArena, createArenaPlanner } from '../../src/memory/arena.ts';
import { openStream } from '../../src/random/streams.ts';
import { instantiateKernels, type KernelModule, loadKernels } from '../../src/simd/loader.ts';

let builds: Record<'relaxed' | 'strict', KernelModule>;
beforeAll(async () => {
  builds = { relaxed: await loadKernels(), strict: await loadKernels({ deterministic: true }) };
}, 120_000);

const COUNT = 20_000;

/** Distance between two float32 values next to x. */
function ulpOf(x: number): number {
  const exponent = Math.floor(Math.log2(Math.max(Math.abs(x), 2 ** -126)));
  return 2 ** (exponent - 23);
}

function evaluate(build: 'relaxed' | 'strict', kind: number, inputs: Float32Array): Float32Array {
  const planner = createArenaPlanner();
  const region = planner.reserve(4 * inputs.length);
  const arena = createArena(planner);
  const values = new Float32Array(arena.buffer, region.offset, inputs.length);
  values.set(inputs);
  instantiateKernels(builds[build], arena.memory).mathTable(
    kind,
    region.offset,
    region.offset,
    inputs.length,
  );
  return values.slice();
}

/** Largest error in ulps of the exact result over log-spaced |x| with both signs (or positive ones). */
function worst(
  build: 'relaxed' | 'strict',
  kind: number,
  exact: (x: number) => number,
  from: number,
  to: number,
  signed: boolean,
) {
  const stream = openStream(2, 'math', kind);
  const inputs = Float32Array.from({ length: COUNT }, () => {
    const magnitude = from * (to / from) ** stream.uniform();
    return signed && stream.uniform() < 0.5 ? -magnitude : magnitude;
  });
  const outputs = evaluate(build, kind, inputs);
  let max = 0;
  for (let k = 0; k < COUNT; k++) {
    const y = exact(inputs[k]);
    max = Math.max(max, Math.abs(outputs[k] - y) / ulpOf(y));
  }
  return max;
}

const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));
const softplus = (x: number) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));

// the bounds are those of the table in src/simd/README.md
const TABLE = [
  ['tanh', 0, Math.tanh, 1e-6, 20, true, 7],
  ['exp', 1, Math.exp, 1e-6, 86, true, 1.5],
  ['log', 2, Math.log, 1e-30, 1e30, false, 1],
  ['sigmoid', 3, sigmoid, 1e-6, 80, true, 3],
] as const;

describe.each(['relaxed', 'strict'] as const)('elementary functions, %s build', (build) => {
  it.each(TABLE)('%s stays within its error bound', (_name, kind, exact, from, to, signed, bound) => {
    const ulps = worst(build, kind, exact, from, to, signed);
    expect(ulps).toBeLessThan(bound);
  });

  it('softplus stays within 1.5e-7 (1 + x), absolutely', () => {
    const inputs = Float32Array.from({ length: COUNT }, (_, k) => -30 + (60 * k) / COUNT);
    const outputs = evaluate(build, 4, inputs);
    for (let k = 0; k < COUNT; k++)
      expect(Math.abs(outputs[k] - softplus(inputs[k]))).toBeLessThan(1.5e-7 * (1 + Math.abs(inputs[k])));
  });

  it('keeps signs, zeros, limits and NaN', () => {
    const inputs = Float32Array.from([0, -0, 1e-40, 50, -50, 200, -200, Number.NaN]);
    expect(Array.from(evaluate(build, 0, inputs))).toEqual(
      [0, -0, expect.closeTo(0, 30), 1, -1, 1, -1, Number.NaN].map((x) =>
        typeof x === 'number' && Math.abs(x) === 1 ? expect.closeTo(x, 6) : x,
      ),
    );
    const exps = evaluate(build, 1, Float32Array.from([0, -88, -1e8, Number.NaN]));
    expect(Array.from(exps)).toEqual([1, 0, 0, Number.NaN]);
    const logs = evaluate(build, 2, Float32Array.from([1, 2, 0.5, 4]));
    [0, Math.LN2, -Math.LN2, 2 * Math.LN2].forEach((y, k) => {
      expect(logs[k]).toBeCloseTo(y, 6);
    });
  });
});
