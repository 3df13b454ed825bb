/** A checkpoint's content as an algorithm gives it, small and with every dtype. */
import type { CheckpointContent } from '../../src/checkpoint/content.ts';

export function exampleContent(iteration: number, weight = 0.5): CheckpointContent {
  return {
    description: { algorithm: 'toy', environment: 'Count-v0', engine: 'simd', backend: 'none', iteration },
    tensors: {
      'policies/default/weights.safetensors': {
        'actor.0.weight': {
          dtype: 'float32',
          shape: [2, 3],
          data: new Float32Array([weight, -0, 1e-45, 3, 4, 5]),
        },
        'actor.0.bias': { dtype: 'float32', shape: [2], data: new Float32Array([6, 7]) },
      },
      'policies/default/optimizer.safetensors': {
        mean: { dtype: 'float64', shape: [2], data: new Float64Array([Math.PI, Number.MIN_VALUE]) },
        step: { dtype: 'int32', shape: [], data: new Int32Array([iteration]) },
        flags: { dtype: 'uint8', shape: [5], data: new Uint8Array([0, 1, 2, 254, 255]) },
      },
    },
    json: {
      'state.json': { iteration, nested: { zero: -0, list: [1, 2.5, null, true, 'text é'] } },
      'config.json': { seed: 3, training: { gamma: 0.99 } },
    },
  };
}
