/** Gradients through lists of layer records against finite differences of a float64 network. */
import { describe, expect, it } from 'vitest';
import type { Activation } from '../../src/policy/policy-spec.ts';
import { openStream } from '../../src/random/streams.ts';
import { loadKernels } from '../../src/simd/loader.ts';
import {
  type DenseShape,
  fillNetwork,
  type OpenNetwork,
  openDenseNetwork,
  referenceOutputs,
  slope,
} from './dense-network.ts';

const relaxed = await loadKernels();
const strict = await loadKernels({ deterministic: true, native: false });
const MODULES = { native: relaxed, relaxed: { ...relaxed, native: null }, strict } as const;
const UNTOUCHED = -12345;
const range = (n: number) => Array.from({ length: n }, (_, k) => k);

/** sum of gradOutputs * outputs over rows: what the kernels differentiate. */
function lossOfRow(network: OpenNetwork, parameters: ArrayLike<number>, input: ArrayLike<number>, r: number) {
  const outputs = referenceOutputs(network.layers, parameters, input, network.masksOf(r));
  return outputs.reduce((sum, y, j) => sum + y * network.gradOutputs[r * outputs.length + j], 0);
}

function checkInputGradients(network: OpenNetwork, rows: number, tolerance: number) {
  const { parameters } = network;
  for (let r = 0; r < rows; r++) {
    const input = Float64Array.from(network.inputRow(r));
    const gradient = network.gradInputRow(r);
    for (let k = 0; k < input.length; k++) {
      const expected = slope(input, k, () => lossOfRow(network, parameters, input, r));
      expect(Math.abs(gradient[k] - expected)).toBeLessThan(tolerance * (1 + Math.abs(expected)));
    }
  }
}

/** Of some parameters of every tensor: all would take long. */
function checkWeightGradients(network: OpenNetwork, rows: number, tolerance: number) {
  const parameters = Float64Array.from(network.parameters);
  const step = Math.ceil(parameters.length / 150);
  for (let k = 0; k < parameters.length; k += step) {
    const loss = () =>
      range(rows).reduce((sum, r) => sum + lossOfRow(network, parameters, network.inputRow(r), r), 0);
    const expected = slope(parameters, k, loss);
    expect(Math.abs(network.gradients[k] - expected)).toBeLessThan(tolerance * (rows + Math.abs(expected)));
  }
}

function checkOutputs(network: OpenNetwork, rows: number, tolerance: number) {
  for (let r = 0; r < rows; r++) {
    const expected = referenceOutputs(
      network.layers,
      network.parameters,
      network.inputRow(r),
      network.masksOf(r),
    );
    for (const [j, y] of expected.entries())
      expect(Math.abs(network.outputs[r * expected.length + j] - y)).toBeLessThan(
        tolerance * (1 + Math.abs(y)),
      );
  }
}

describe.each(['native', 'relaxed', 'strict'] as const)('gradients of networks, %s kernels', (name) => {
  const stream = openStream(5, 'gradients');
  const open = (shape: DenseShape) => {
    const network = openDenseNetwork(MODULES[name], shape);
    fillNetwork(network, stream);
    return network;
  };

  it.each([
    [[1, 1], 'tanh', 64],
    [[3, 1], 'tanh', 5],
    [[4, 17, 1], 'tanh', 64],
    [[23, 33, 31, 1], 'tanh', 7],
    [[1, 3, 2], 'relu', 3],
    [[17, 65, 3], 'relu', 9],
    [[65, 20, 9], 'silu', 2],
    [[5, 7, 16, 4], 'gelu', 13],
    [[16, 16, 5], 'elu', 6],
  ] as const)('of the input and of weights through %j, %s, %i rows', (widths, activation, rows) => {
    const network = open({ widths, activation: activation as Activation });
    network.forward(rows);
    checkOutputs(network, rows, 1e-5);
    network.backward(rows, { weights: true });
    checkInputGradients(network, rows, 3e-5);
    checkWeightGradients(network, rows, 3e-5);
  });

  it.each([
    [[4, 1, 2], 'tanh', 5],
    [[3, 3, 2], 'tanh', 64],
    [[2, 17, 65, 1], 'relu', 1],
    [[23, 65, 17, 3], 'elu', 9],
    [[5, 16, 32, 1], 'silu', 64],
    [[7, 40, 3, 2], 'gelu', 2],
    [[6, 65, 1], 'tanh', 63],
  ] as const)('with layer normalisation through %j, %s, %i rows', (widths, activation, rows) => {
    const network = open({ widths, activation: activation as Activation, normalized: true });
    network.forward(rows);
    checkOutputs(network, rows, 3e-5);
    network.backward(rows, { weights: true });
    checkInputGradients(network, rows, 1e-4);
    checkWeightGradients(network, rows, 1e-4);
    const once = network.gradients.slice();
    network.backward(rows, { weights: true, accumulate: true });
    for (const [k, g] of once.entries())
      expect(Math.abs(network.gradients[k] - 2 * g)).toBeLessThanOrEqual(1e-6 * Math.abs(g));
  });

  it.each([
    [[4, 16, 32, 1], 'relu', 5, false],
    [[3, 17, 65, 2], 'relu', 33, true],
    [[6, 40, 7, 1], 'silu', 64, true],
    [[5, 9, 2], 'tanh', 3, false],
  ] as const)(
    'with dropout through %j, %s, %i rows, normalised: %s',
    (widths, activation, rows, normalized) => {
      const network = open({ widths, activation: activation as Activation, normalized, masked: true });
      network.forward(rows);
      checkOutputs(network, rows, 3e-5);
      network.backward(rows, { weights: true });
      checkInputGradients(network, rows, 1e-4);
      checkWeightGradients(network, rows, 1e-4);
    },
  );

  it.each([1, 2, 4, 15, 64])('gives the same input gradients without those of weights, %i rows', (rows) => {
    const network = open({ widths: [9, 31, 18, 2], activation: 'tanh', normalized: rows % 2 === 1 });
    network.forward(rows);
    network.backward(rows, { weights: true });
    const gradients = range(rows).map((r) => Array.from(network.gradInputRow(r)));
    for (let r = 0; r < rows; r++) network.gradInputRow(r).fill(UNTOUCHED);
    network.gradients.fill(UNTOUCHED);
    network.backward(rows, { weights: false });
    expect(range(rows).map((r) => Array.from(network.gradInputRow(r)))).toEqual(gradients);
    expect(network.gradients.every((g) => g === UNTOUCHED)).toBe(true);
  });
});
