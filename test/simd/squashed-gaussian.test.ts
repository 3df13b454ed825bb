/** SAC's policy over a block against float64: the hand-worked extremes, random rows, finite differences. */
import { describe, expect, it } from 'vitest';
import { createArena, createArenaPlanner } from '../../src/memory/arena.ts';
import { openStream } from '../../src/random/streams.ts';
import { instantiateKernels, type KernelModule, loadKernels } from '../../src/simd/loader.ts';
import { slope } from './dense-network.ts';
import { nativeWidths } from './native-widths.ts';

const relaxed = await loadKernels();
const strict = await loadKernels({ deterministic: true });
const MODULES = {
  native: relaxed,
  relaxed: { ...relaxed, native: null },
  strict: { ...strict, native: null },
} as const;
const UNTOUCHED = -12345;
const BY_LOG_PROB = 0.7;

function openSquashed(module: KernelModule, rows: number, size: number) {
  const planner = createArenaPlanner();
  const sizes = {
    parameters: 2 * rows * size,
    noise: rows * size,
    actions: rows * size,
    logProbs: rows,
    deviations: rows * size,
    slopes: rows * size,
    scratch: rows * size,
    byActions: rows * size,
    gradients: 2 * rows * size,
  };
  const names = Object.keys(sizes) as (keyof typeof sizes)[];
  const regions = names.map((name) => planner.reserve(4 * sizes[name] + 64));
  const arena = createArena(planner);
  const { sampleSquashed, flowBackSquashed } = instantiateKernels(module, arena.memory);
  const vectors = Object.fromEntries(
    names.map((name, k) => {
      const whole = new Float32Array(arena.buffer, regions[k].offset, sizes[name] + 16).fill(UNTOUCHED);
      return [
        name,
        {
          at: regions[k].offset,
          values: whole.subarray(0, sizes[name]),
          behind: whole.subarray(sizes[name]),
        },
      ];
    }),
  ) as Record<keyof typeof sizes, { at: number; values: Float32Array; behind: Float32Array }>;
  const { parameters, noise, actions, logProbs, deviations, slopes, scratch, byActions, gradients } = vectors;
  return {
    ...vectors,
    sample: () =>
      sampleSquashed(
        ...([parameters.at, noise.at, rows, size] as const),
        ...([actions.at, logProbs.at, deviations.at, slopes.at, scratch.at] as const),
      ),
    flowBack: () =>
      flowBackSquashed(
        ...([parameters.at, noise.at, rows, size] as const),
        ...([actions.at, deviations.at, slopes.at, byActions.at, BY_LOG_PROB, gradients.at] as const),
      ),
    isIntact: () => names.every((name) => vectors[name].behind.every((x) => x === UNTOUCHED)),
  };
}

/** One row in float64: actions, log-probability. */
function reference(means: ArrayLike<number>, logStds: ArrayLike<number>, noise: ArrayLike<number>) {
  const actions: number[] = [];
  let logProb = 0;
  for (let a = 0; a < noise.length; a++) {
    const logStd = Math.min(2, Math.max(-20, logStds[a]));
    const u = means[a] + Math.exp(logStd) * noise[a];
    const softplus = Math.max(0, -2 * u) + Math.log1p(Math.exp(-2 * Math.abs(u)));
    actions.push(Math.tanh(u));
    logProb -= 0.5 * noise[a] ** 2 + logStd + 0.5 * Math.log(2 * Math.PI) + 2 * (Math.LN2 - u - softplus);
  }
  return { actions, logProb };
}

describe.each(['native', 'relaxed', 'strict'] as const)('squashed Gaussian, %s kernels', (build) => {
  it.each([
    [0, 0, 0, -0.918939],
    [0, 0, 3, -0.800282],
    [0, -5, 1, 3.581107],
    [0, 2, 3, 35.529104],
    [10, -2, 0, 19.694767],
    [-20, 0, 0, 37.694767],
  ])('log-probability of mean %d, log deviation %d, noise %d is %d', (mean, logStd, noise, expected) => {
    const block = openSquashed(MODULES[build], 1, 1);
    block.parameters.values.set([mean, logStd]);
    block.noise.values[0] = noise;
    block.sample();
    expect(Math.abs(block.logProbs.values[0] - expected)).toBeLessThan(3e-6 + 1e-6 * Math.abs(expected));
  });

  const stream = openStream(8, 'squashed');
  const cases = [1, 2, 3, 4, 6, 17].flatMap((size) => [1, 2, 3, 5, 64].map((rows) => [rows, size] as const));

  it.each(cases)('%i rows of %i actions agree with float64, way back included', (rows, size) => {
    const block = openSquashed(MODULES[build], rows, size);
    const { parameters, noise, actions, logProbs, byActions, gradients } = block;
    for (const { values } of [parameters, noise, byActions])
      for (let k = 0; k < values.length; k++) values[k] = 1.5 * stream.normal();
    if (size > 1) parameters.values.set([2.5, -20.5], size); // log deviations of row 0 beyond their bounds
    block.sample();
    block.flowBack();
    for (let r = 0; r < rows; r++) {
      const row = Float64Array.from(parameters.values.subarray(2 * r * size, 2 * (r + 1) * size));
      const e = noise.values.subarray(r * size, (r + 1) * size);
      const exact = () => reference(row.subarray(0, size), row.subarray(size), e);
      const { actions: expected, logProb } = exact();
      expect(Math.abs(logProbs.values[r] - logProb)).toBeLessThan(2e-6 * size * (1 + Math.abs(logProb)));
      for (let a = 0; a < size; a++)
        expect(Math.abs(actions.values[r * size + a] - expected[a])).toBeLessThan(1e-6);
      const loss = () => {
        const now = exact();
        const byAction = now.actions.reduce((sum, x, a) => sum + x * byActions.values[r * size + a], 0);
        return BY_LOG_PROB * now.logProb + byAction;
      };
      for (let k = 0; k < 2 * size; k++) {
        const by = slope(row, k, loss);
        const found = gradients.values[2 * r * size + k];
        expect(Math.abs(found - by)).toBeLessThan(1e-5 * (1 + Math.abs(by)));
      }
    }
    expect(block.isIntact()).toBe(true);
  });

  it('keeps the slope of actions that round to a bound', () => {
    const block = openSquashed(MODULES[build], 3, 1);
    block.parameters.values.set([9.5, -20, -12, -20, 30, -20]);
    block.noise.values.fill(0);
    block.sample();
    for (const [r, u] of [9.5, 12, 30].entries()) {
      const exact = 4 * Math.exp(-2 * u);
      expect(Math.abs(block.slopes.values[r] - exact)).toBeLessThan(1e-5 * exact);
    }
  });

  it('gives a row the same bits whatever is beside it', () => {
    const [whole, alone] = [openSquashed(MODULES[build], 5, 3), openSquashed(MODULES[build], 1, 3)];
    for (const { values } of [whole.parameters, whole.noise])
      for (let k = 0; k < values.length; k++) values[k] = stream.normal();
    alone.parameters.values.set(whole.parameters.values.subarray(18, 24));
    alone.noise.values.set(whole.noise.values.subarray(9, 12));
    whole.sample();
    alone.sample();
    expect(alone.logProbs.values[0]).toBe(whole.logProbs.values[3]);
    expect(alone.actions.values).toEqual(whole.actions.values.slice(9, 12));
  });
});

const widths = nativeWidths(relaxed.native);

describe.each(widths)('native squashed Gaussian, %i lanes', (numLanes) => {
  it.each([relaxed, strict])('has the bits of the WebAssembly kernels, build %#', (module) => {
    const stream = openStream(12, 'twins');
    for (const [rows, size] of [
      [1, 1],
      [3, 1],
      [64, 1],
      [5, 2],
      [17, 3],
      [63, 5],
      [64, 6],
      [2, 17],
    ]) {
      const native = { path: module.native?.path ?? '', numLanes };
      const twins = [null, native].map((kind) => openSquashed({ ...module, native: kind }, rows, size));
      for (const name of ['parameters', 'noise'] as const) {
        const { values } = twins[0][name];
        for (let k = 0; k < values.length; k++) values[k] = 8 * stream.normal() ** 3;
        twins[1][name].values.set(values);
      }
      for (const { sample } of twins) sample();
      for (const name of ['actions', 'logProbs', 'deviations', 'slopes'] as const)
        expect(twins[1][name].values, `${name}, ${rows} x ${size}`).toEqual(twins[0][name].values);
      expect(twins[1].isIntact()).toBe(true);
    }
  });
});
