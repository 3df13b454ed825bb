/** The corrected kernels and gradients against tfjs' own on its plain backend. */
import { describe, expect, it } from 'vitest';
import { loadTensorFlow } from '../../../src/learner/tensorflow/backend.ts';
import type { Tensor, TensorFlow } from '../../../src/policy/tensor-types.ts';
import { noNativeBinding } from './native.ts';

const NUMBERS = [-2, -0.7, 0, 0.3, 1.1, 4];

async function onBoth(compute: (tf: TensorFlow) => Tensor[]) {
  const results: number[][] = [];
  for (const backend of ['node-gpu', 'cpu'] as const) {
    const { tf } = await loadTensorFlow({ backend });
    results.push(compute(tf).flatMap((tensor) => [...tensor.dataSync()]));
  }
  const [native, plain] = results;
  expect(native.length).toBe(plain.length);
  native.forEach((value, i) => {
    expect(value).toBeCloseTo(plain[i], 5);
  });
  return native;
}

describe.skipIf(noNativeBinding !== null)('correctNativeKernels', () => {
  it.each(['tanh', 'sigmoid', 'relu'] as const)('has the gradient of %s', async (name) => {
    const values = await onBoth((tf) => {
      const f = (x: Tensor) => tf.sum(tf.mul(tf[name](x), tf.tensor1d([1, 2, 3, 4, 5, 6])));
      return [tf.grad(f)(tf.tensor1d(NUMBERS))];
    });
    expect(values.some((value) => value !== 0)).toBe(true);
  });

  it('has gradients of gradients where tfjs has them', async () => {
    const values = await onBoth((tf) => {
      const slope = tf.grad((x) => tf.sum(tf.square(tf.relu(x))));
      return [tf.grad((x) => tf.sum(slope(x)))(tf.tensor1d(NUMBERS))];
    });
    expect(values).toEqual([0, 0, 0, 2, 2, 2]);
  });

  it.each([
    [false, false],
    [true, false],
    [false, true],
    [true, true],
  ])('multiplies matrices, transposed %s and %s, and differentiates that', async (left, right) => {
    await onBoth((tf) => {
      const a = tf.tensor2d([1, 2, 3, 4, 5, 6], left ? [3, 2] : [2, 3]);
      const b = tf.tensor2d([6, 1, -2, 3, 0.5, 4], right ? [2, 3] : [3, 2]);
      const weights = tf.tensor2d([1, 2, 3, 4], [2, 2]);
      const product = (x: Tensor, y: Tensor) => tf.matMul(x, y, left, right);
      const f = (x: Tensor, y: Tensor) => tf.sum(tf.mul(product(x, y), weights));
      return [product(a, b), ...tf.grads(f)([a, b])];
    });
  });

  it('multiplies stacks of matrices', async () => {
    await onBoth((tf) => {
      const a = tf.tensor3d([1, 2, 3, 4, 5, 6, 7, 8], [2, 2, 2]);
      return [tf.matMul(a, a, false, true)];
    });
  });
});
