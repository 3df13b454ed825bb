import { describe, expect, it } from 'vitest';
import { initializeModel } from '../../../src/policy/networks/initialize-model.ts';
import { type ModelSpec, modelLayout } from '../../../src/policy/networks/model.ts';
import { createParameterNoise, drawFactors } from '../../../src/policy/networks/parameter-noise.ts';
import { openStream } from '../../../src/random/streams.ts';

/** x [inputs] -> [3], without hidden layers unless there are some. */
const model = (inputs: number, hiddenSizes: readonly number[] = []): ModelSpec => ({
  inputs: { x: { size: inputs, dtype: 'float32', shape: [inputs], isNormalized: false } },
  networks: {
    q: {
      ...{ inputs: ['x'], outputs: 3, initialDeviation: 0.5 },
      trunk: { kind: 'mlp', hiddenSizes, activation: 'tanh', layerNorm: true },
    },
  },
  free: {},
  targets: { 'target/q': 'q', 'noise/target/q': 'noise/q' },
  clipObservation: 10,
});

describe('factorised noise', () => {
  // e = [1, -0.25], e' = [4, 0.09, -1]: f(e) = [1, -0.5], f(e') = [2, 0.3, -1]
  const factors = Float32Array.of(1, -0.5, 2, 0.3, -1);
  const eps = [2, 0.3, -1, -1, -0.15, 0.5];

  it('moves weights by sigma f(e) f(e) and biases by sigma f(e)', () => {
    const { ranges } = modelLayout(model(2));
    const noise = createParameterNoise(model(2), 'q');
    const parameters = new Float32Array(ranges.q.size).fill(1);
    noise.perturb(parameters, new Float32Array(ranges['noise/q'].size).fill(0.5), factors);
    eps.forEach((value, k) => {
      expect(parameters[k]).toBeCloseTo(1 + 0.5 * value, 6);
    });
    [2, 0.3, -1].forEach((value, j) => {
      expect(parameters[16 + j]).toBeCloseTo(1 + 0.5 * value, 6);
    });
  });

  it('gives deviations the gradient times the noise', () => {
    const { ranges } = modelLayout(model(2));
    const byDeviations = new Float32Array(ranges['noise/q'].size);
    createParameterNoise(model(2), 'q').flowBack(
      new Float32Array(ranges.q.size).fill(3),
      factors,
      byDeviations,
    );
    eps.forEach((value, k) => {
      expect(byDeviations[k]).toBeCloseTo(3 * value, 6);
    });
    expect(byDeviations[16]).toBeCloseTo(6, 6);
  });

  it('has a factor for each input and output of every dense layer, and none for gains', () => {
    expect(createParameterNoise(model(4, [6, 5]), 'q').size).toBe(4 + 6 + 6 + 5 + 5 + 3);
    const names = modelLayout(model(4, [6]))
      .entries.map(({ name }) => name)
      .filter((name) => name.startsWith('noise/q/'));
    expect(names).toEqual(
      ['0/kernel', '0/bias', 'head/kernel', 'head/bias'].map((name) => `noise/q/${name}`),
    );
  });

  it('begins with 0.5 over the root of the inputs, and targets with copies', () => {
    const { ranges } = modelLayout(model(64));
    const parameters = initializeModel(model(64), openStream(1, 'initialize'));
    const part = (name: string) =>
      parameters.subarray(ranges[name].offset, ranges[name].offset + ranges[name].size);
    expect([...part('noise/q').subarray(0, 195)]).toEqual(Array.from({ length: 195 }, () => 0.0625));
    expect([...part('noise/target/q')]).toEqual([...part('noise/q')]);
  });

  it('draws f(e) = sign(e) sqrt(|e|) of standard normals', () => {
    const drawn = new Float32Array(20_001);
    drawFactors(openStream(5, 'factors'), drawn);
    const mean = (f: (x: number) => number) => drawn.reduce((sum, x) => sum + f(x), 0) / drawn.length;
    expect(mean((x) => x)).toBeCloseTo(0, 1);
    expect(mean((x) => x * x)).toBeCloseTo(Math.sqrt(2 / Math.PI), 1); // E|e|
    expect(mean((x) => x ** 4)).toBeCloseTo(1, 1); // E e^2
  });
});

it('refuses a network without noisy layers', () => {
  const { initialDeviation: _, ...plain } = model(2).networks.q;
  const bare = { ...model(2), networks: { q: plain }, targets: {} };
  expect(() => createParameterNoise(bare, 'q')).toThrow('Expected noisy layers in q');
});
