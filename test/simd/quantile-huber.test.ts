/** The quantile Huber loss of rows against float64, a hand-worked case, and one kind of kernels against the other. */
import { describe, expect, it } from 'vitest';
import { createArena, createArenaPlanner } from '../../src/memory/arena.ts';
import { openStream } from '../../src/random/streams.ts';
import { instantiateKernels, type KernelModule, loadKernels } from '../../src/simd/loader.ts';
import { nativeWidths } from './native-widths.ts';

const relaxed = await loadKernels();
const strict = await loadKernels({ deterministic: true });
const UNTOUCHED = -12345;

interface Shape {
  readonly rows: number;
  readonly size: number;
  readonly numTargets: number;
}

/** Rows with two columns more than are used. */
function openRows(module: KernelModule, { rows, size, numTargets }: Shape) {
  const planner = createArenaPlanner();
  const strides = { predicted: size + 2, targets: numTargets + 2, gradient: size + 2, losses: 1 };
  const take = (columns: number) => planner.reserve(4 * rows * columns + 64).offset;
  const at = {
    predicted: take(strides.predicted),
    targets: take(strides.targets),
    gradient: take(strides.gradient),
    losses: take(1),
  };
  const arena = createArena(planner);
  const kernels = instantiateKernels(module, arena.memory);
  const view = (name: keyof typeof at) =>
    new Float32Array(arena.buffer, at[name], rows * strides[name]).fill(UNTOUCHED);
  return {
    predicted: view('predicted'),
    targets: view('targets'),
    gradient: view('gradient'),
    losses: view('losses'),
    run: (scale: number) =>
      kernels.quantileHuber(
        ...([at.predicted, 4 * strides.predicted, at.targets, 4 * strides.targets] as const),
        ...([rows, size, numTargets, scale] as const),
        ...([at.gradient, 4 * strides.gradient, at.losses] as const),
      ),
  };
}

function reference(theta: ArrayLike<number>, targets: ArrayLike<number>) {
  const N = theta.length;
  const gradient = new Array<number>(N).fill(0);
  let loss = 0;
  for (let i = 0; i < N; i++) {
    const tau = (i + 0.5) / N;
    for (let j = 0; j < targets.length; j++) {
      const u = targets[j] - theta[i];
      const weight = Math.abs(tau - (u < 0 ? 1 : 0)) / (N * targets.length);
      loss += weight * (Math.abs(u) <= 1 ? 0.5 * u * u : Math.abs(u) - 0.5);
      gradient[i] -= weight * Math.max(-1, Math.min(1, u));
    }
  }
  return { loss, gradient };
}

const SHAPES: Shape[] = [1, 2, 3, 7, 8, 9, 16, 17, 25, 32, 33, 65, 170].map((size, k) => ({
  rows: 1 + ((5 * k) % 7),
  size,
  numTargets: [1, 46, 5, 170, 23][k % 5],
}));

describe.each([
  ['native', relaxed],
  ['relaxed', { ...relaxed, native: null }],
  ['strict', { ...strict, native: null }],
] as const)('quantile Huber loss, %s kernels', (_, module) => {
  it('is the hand-worked one', () => {
    const { predicted, targets, gradient, losses, run } = openRows(module, {
      rows: 1,
      size: 3,
      numTargets: 3,
    });
    predicted.set([-1, 0, 2]);
    targets.set([-0.5, 1, 4]);
    run(3); // QR-DQN's sum over quantiles
    expect(3 * losses[0]).toBeCloseTo(1.583333, 6);
    [-0.138889, -0.25, -0.166667].forEach((g, i) => {
      expect(gradient[i]).toBeCloseTo(g, 6);
    });
  });

  it("is TQC's mean over both, over the first targets", () => {
    const { predicted, targets, losses, run } = openRows(module, { rows: 1, size: 3, numTargets: 2 });
    predicted.set([-1, 0, 2]);
    targets.set([-0.5, 1, 4]);
    run(1);
    // pair losses of the table, without the last target
    const pairs = 0.020833333 + 0.25 + 0.0625 + 0.25 + 0.333333333 + 0.083333333;
    expect(losses[0]).toBeCloseTo(pairs / 6, 6);
  });

  it.each(SHAPES)('agrees with float64 for %o', (shape) => {
    const { rows, size, numTargets } = shape;
    const stream = openStream(9, 'quantiles', size);
    const { predicted, targets, gradient, losses, run } = openRows(module, shape);
    for (let k = 0; k < predicted.length; k++) predicted[k] = 2 * stream.normal();
    for (let k = 0; k < targets.length; k++) targets[k] = 2 * stream.normal();
    run(0.3);
    for (let r = 0; r < rows; r++) {
      const theta = predicted.subarray(r * (size + 2), r * (size + 2) + size);
      const first = r * (numTargets + 2);
      const expected = reference(theta, targets.subarray(first, first + numTargets));
      expect(Math.abs(losses[r] - expected.loss)).toBeLessThan(3e-6 * (1 + expected.loss));
      const found = gradient.subarray(r * (size + 2), (r + 1) * (size + 2));
      for (let i = 0; i < size; i++)
        expect(Math.abs(found[i] - 0.3 * expected.gradient[i])).toBeLessThan(1e-6);
      expect(Array.from(found.subarray(size))).toEqual([UNTOUCHED, UNTOUCHED]);
    }
  });
});

const widths = nativeWidths(relaxed.native);

describe.each(widths)('native quantile Huber loss, %i lanes', (numLanes) => {
  it.each([relaxed, strict])('has the bits of the WebAssembly kernels, build %#', (module) => {
    for (const shape of SHAPES) {
      const native = { path: module.native?.path ?? '', numLanes };
      const twins = [null, native].map((kind) => openRows({ ...module, native: kind }, shape));
      const stream = openStream(9, 'twins', shape.size);
      for (let k = 0; k < twins[0].predicted.length; k++) twins[0].predicted[k] = stream.normal();
      for (let k = 0; k < twins[0].targets.length; k++) twins[0].targets[k] = stream.normal();
      twins[1].predicted.set(twins[0].predicted);
      twins[1].targets.set(twins[0].targets);
      for (const { run } of twins) run(0.01);
      expect(twins[1].losses).toEqual(twins[0].losses);
      expect(twins[1].gradient).toEqual(twins[0].gradient);
    }
  });
});
