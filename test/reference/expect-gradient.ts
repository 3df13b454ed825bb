/** A gradient of an engine against central differences of a float64 loss. */
import { expect } from 'vitest';
import type { ParameterRange } from '../../src/policy/networks/model.ts';
import { differences } from './model-reference.ts';

/**
 * Each element of `gradient` in the range is within `tolerance` (1 + |slope|) of the loss's slope there, and the loss has slopes.
 *
 * @param what for messages: the network.
 */
export function expectGradient(
  gradient: Float32Array,
  { offset, size }: ParameterRange,
  loss: (parameters: Float64Array) => number,
  parameters: Float64Array,
  what: string,
  tolerance = 1e-5,
): void {
  const expected = differences(loss, parameters, offset, offset + size);
  expect(Math.max(...expected.map(Math.abs)), `${what} has slopes`).toBeGreaterThan(1e-4);
  for (let k = 0; k < size; k++)
    expect(Math.abs(gradient[offset + k] - expected[k]), `${what} ${k}`).toBeLessThan(
      tolerance * (1 + Math.abs(expected[k])),
    );
}
