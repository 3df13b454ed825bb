import { describe, expect, it } from 'vitest';
import { initializeParameters, orthogonalMatrix } from '../../src/policy/initialize.ts';
import { mlpParameterLayout } from '../../src/policy/networks/mlp-parameters.ts';
import type { PolicySpec } from '../../src/policy/policy-spec.ts';
import { openStream } from '../../src/random/streams.ts';
import { createParameterLayout } from '../../src/weights/parameter-layout.ts';

function specOf(orthogonal: boolean): PolicySpec {
  return {
    observationSize: 5,
    observationDtype: 'float32',
    observationShape: [5],
    actionMaskSize: 0,
    network: { kind: 'mlp', hiddenSizes: [16, 8], activation: 'tanh', shared: false },
    distribution: { kind: 'gaussian', size: 3, squash: false, low: [-1, -1, -1], high: [1, 1, 1] },
    normalizeObservations: false,
    clipObservation: 10,
    initialization: { orthogonal, hiddenGain: Math.SQRT2, policyGain: 0.01, valueGain: 1, logStd: -0.5 },
  };
}

/** Gram matrix of the shorter side. */
function gram(matrix: ArrayLike<number>, rows: number, columns: number): number[][] {
  const count = Math.min(rows, columns);
  const at = (k: number, i: number) => (rows >= columns ? matrix[i * columns + k] : matrix[k * columns + i]);
  return Array.from({ length: count }, (_, a) =>
    Array.from({ length: count }, (_unused, b) => {
      let sum = 0;
      for (let i = 0; i < Math.max(rows, columns); i += 1) sum += at(a, i) * at(b, i);
      return sum;
    }),
  );
}

describe('orthogonalMatrix', () => {
  it.each([
    [7, 3],
    [3, 7],
    [32, 32],
    [1, 4],
  ])('has orthogonal vectors of length gain, %i x %i', (rows, columns) => {
    const matrix = orthogonalMatrix(rows, columns, 2, openStream(1, 'test'));
    gram(matrix, rows, columns).forEach((row, a) => {
      row.forEach((value, b) => {
        expect(value).toBeCloseTo(a === b ? 4 : 0, 10);
      });
    });
  });

  it('is uniform: a 2 x 2 matrix is a reflection as often as a rotation, and entries are centred', () => {
    const stream = openStream(2, 'test');
    let rotations = 0;
    let sum = 0;
    for (let k = 0; k < 4000; k += 1) {
      const [a, b, c, d] = orthogonalMatrix(2, 2, 1, stream);
      if (a * d - b * c > 0) rotations += 1;
      sum += a;
    }
    expect(Math.abs(rotations / 4000 - 0.5)).toBeLessThan(0.04);
    expect(Math.abs(sum / 4000)).toBeLessThan(0.05);
  });
});

describe('initializeParameters', () => {
  it('uses the gain of each layer, zero biases and the constant logStd', () => {
    const spec = specOf(true);
    const layout = mlpParameterLayout(spec);
    const parameters = initializeParameters(spec, layout, openStream(3, 'init'));
    const covered = new Set<number>();
    for (const { name, shape, offset, size } of layout.entries) {
      const values = parameters.subarray(offset, offset + size);
      for (let i = offset; i < offset + size; i += 1) covered.add(i);
      if (name === 'logStd') expect([...values]).toEqual([-0.5, -0.5, -0.5]);
      else if (name.endsWith('/bias')) expect(values.every((x) => x === 0)).toBe(true);
      else {
        const gain = name === 'actor/head/kernel' ? 0.01 : name === 'critic/head/kernel' ? 1 : Math.SQRT2;
        gram(values, shape[0], shape[1]).forEach((row, a) => {
          row.forEach((value, b) => {
            expect(value / gain ** 2).toBeCloseTo(a === b ? 1 : 0, 5);
          });
        });
      }
    }
    const padding = [...parameters].filter((_, i) => !covered.has(i));
    expect(padding.length).toBeGreaterThan(0);
    expect(padding.every((x) => x === 0)).toBe(true);
  });

  it('treats a convolution kernel as the matrix [height * width * in, out]', () => {
    const layout = createParameterLayout([{ name: 'trunk/conv0/kernel', shape: [3, 3, 2, 4] }]);
    const parameters = initializeParameters(specOf(true), layout, openStream(4, 'init'));
    const product = gram(parameters, 18, 4);
    expect(product[0][0]).toBeCloseTo(2, 5);
    expect(product[0][1]).toBeCloseTo(0, 5);
  });

  it('draws U(+-1/sqrt(fanIn)) for kernels and biases when it is not orthogonal', () => {
    const spec = specOf(false);
    const layout = mlpParameterLayout(spec);
    const parameters = initializeParameters(spec, layout, openStream(5, 'init'));
    const fanIns: Record<string, number> = { 'actor/0': 5, 'actor/1': 16, 'actor/head': 8 };
    for (const { name, offset, size } of layout.entries) {
      const fanIn = fanIns[name.slice(0, name.lastIndexOf('/'))];
      if (fanIn === undefined) continue;
      const values = [...parameters.subarray(offset, offset + size)].map(
        (x) => Math.abs(x) * Math.sqrt(fanIn),
      );
      expect(Math.max(...values)).toBeLessThanOrEqual(1);
      if (size >= 16) expect(Math.max(...values)).toBeGreaterThan(0.75);
      expect(values.every((x) => x > 0)).toBe(true);
    }
  });

  it('gives the same numbers for the same stream and others for another', () => {
    const spec = specOf(true);
    const layout = mlpParameterLayout(spec);
    const draw = (seed: number) => initializeParameters(spec, layout, openStream(seed, 'init'));
    expect(draw(1)).toEqual(draw(1));
    expect(draw(1)).not.toEqual(draw(2));
  });
});
