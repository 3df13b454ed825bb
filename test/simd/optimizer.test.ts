/** Adam with decoupled decay and target blends against float64. */
import { describe, expect, it } from 'vitest';
import { createArena, createArenaPlanner } from '../../src/memory/arena.ts';
import { openStream } from '../../src/random/streams.ts';
import { instantiateKernels, loadKernels } from '../../src/simd/loader.ts';

const relaxed = await loadKernels();
const strict = await loadKernels({ deterministic: true, native: false });
const MODULES = { native: relaxed, relaxed: { ...relaxed, native: null }, strict } as const;
const UNTOUCHED = -12345;

/** Vectors of `count` floats with markers behind them. */
function openVectors(name: keyof typeof MODULES, count: number, numVectors: number) {
  const planner = createArenaPlanner();
  const regions = Array.from({ length: numVectors }, () => planner.reserve(4 * count + 64));
  const arena = createArena(planner);
  const vectors = regions.map(({ offset }) => {
    const whole = new Float32Array(arena.buffer, offset, count + 16).fill(UNTOUCHED);
    return {
      address: offset,
      values: whole.subarray(0, count),
      behind: whole.subarray(4 * Math.ceil(count / 4)),
    };
  });
  return { vectors, kernels: instantiateKernels(MODULES[name], arena.memory) };
}

describe.each(['native', 'relaxed', 'strict'] as const)('optimizer kernels, %s', (name) => {
  const stream = openStream(6, 'optimizer');

  it.each([1, 4, 15, 16, 65, 1000])('blend %i values, and nothing behind them', (count) => {
    const { vectors, kernels } = openVectors(name, count, 2);
    const [target, source] = vectors;
    for (const { values } of vectors) for (let k = 0; k < count; k++) values[k] = stream.normal();
    const before = target.values.slice();
    const given = source.values.slice();
    kernels.blendSlice(target.address, source.address, 4 * count, 0.005);
    for (let k = 0; k < count; k++) {
      const expected = 0.995 * before[k] + 0.005 * given[k];
      expect(Math.abs(target.values[k] - expected)).toBeLessThan(
        2e-7 * (Math.abs(before[k]) + Math.abs(given[k])),
      );
      expect(target.values[k]).not.toBe(before[k]);
    }
    expect(source.values).toEqual(given);
    expect(target.behind.every((x) => x === UNTOUCHED)).toBe(true);
  });

  it('copies with tau 1, also where a sum would round', () => {
    const { vectors, kernels } = openVectors(name, 33, 2);
    const [target, source] = vectors;
    target.values.fill(1e8);
    for (let k = 0; k < 33; k++) source.values[k] = k === 7 ? 1e-20 : stream.normal();
    kernels.blendSlice(target.address, source.address, 4 * 33, 1);
    expect(target.values).toEqual(source.values);
    expect(target.behind.every((x) => x === UNTOUCHED)).toBe(true);
  });

  it('goes on at a source that does not move, ever closer', () => {
    const { vectors, kernels } = openVectors(name, 16, 2);
    const [target, source] = vectors;
    target.values.fill(0);
    source.values.fill(2);
    for (let k = 0; k < 100; k++) kernels.blendSlice(target.address, source.address, 64, 0.05);
    for (const value of target.values) expect(value).toBeCloseTo(2 * (1 - 0.95 ** 100), 5);
  });

  it('decays weights beside the step, as AdamW does', () => {
    const [count, lr, decay, beta1, beta2, epsilon] = [37, 0.01, 0.1, 0.9, 0.999, 1e-8];
    const { vectors, kernels } = openVectors(name, count, 4);
    const [p, g, m, v] = vectors;
    for (let k = 0; k < count; k++) p.values[k] = stream.normal();
    m.values.fill(0);
    v.values.fill(0);
    const [pExact, mExact, vExact] = [p, m, v].map(({ values }) => Float64Array.from(values));
    for (let t = 1; t <= 20; t++) {
      for (let k = 0; k < count; k++) g.values[k] = stream.normal();
      const [stepSize, correction] = [lr / (1 - beta1 ** t), 1 / Math.sqrt(1 - beta2 ** t)];
      const addresses = [p.address, g.address, m.address, v.address] as const;
      const numbers = [1, beta1, 1 - beta1, beta2, 1 - beta2, stepSize, correction, epsilon] as const;
      kernels.adamSlice(...addresses, 4 * count, ...numbers, 1 - lr * decay);
      for (let k = 0; k < count; k++) {
        pExact[k] *= 1 - lr * decay;
        mExact[k] = beta1 * mExact[k] + (1 - beta1) * g.values[k];
        vExact[k] = beta2 * vExact[k] + (1 - beta2) * g.values[k] ** 2;
        const root = Math.sqrt(vExact[k] / (1 - beta2 ** t)) + epsilon;
        pExact[k] -= (lr * mExact[k]) / (1 - beta1 ** t) / root;
      }
    }
    for (let k = 0; k < count; k++) expect(Math.abs(p.values[k] - pExact[k])).toBeLessThan(3e-6);
  });
});
