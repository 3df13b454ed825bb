/** The layers inside of a block of attention, over one row in float64, without allocating. */
import { openDense, sigmoid } from './dense-rows.ts';
import type { FindTensor, RowLayer } from './row-outputs.ts';

/** x W, W row-major [D, out]. */
export function openProduct(kernel: Float32Array, numOutputs: number): RowLayer {
  const y = new Float64Array(numOutputs); // [out] f64
  return (x) => {
    y.fill(0);
    for (let i = 0, at = 0; i < x.length; i++, at += numOutputs) {
      const xi = x[i];
      for (let j = 0; j < numOutputs; j++) y[j] += xi * kernel[at + j];
    }
    return y;
  };
}

/** (q + bias) W^T over the columns [begin, end) of W alone, W row-major [D, D]. */
export function openTransposedProduct(
  kernel: Float32Array,
  D: number,
): (q: Float64Array, bias: Float32Array, begin: number, end: number) => Float64Array {
  const y = new Float64Array(D); // [D] f64
  return (q, bias, begin, end) => {
    for (let i = 0; i < D; i++) {
      let sum = 0;
      for (let j = begin; j < end; j++) sum += kernel[i * D + j] * (q[j] + bias[j]);
      y[i] = sum;
    }
    return y;
  };
}

/** x' = (1 - z) x + z h; `tensor-attention.ts` has the gate. */
export function openGate(
  tensor: FindTensor,
  name: string,
  D: number,
): (x: Float64Array, y: Float64Array) => Float64Array {
  const given = openProduct(tensor(`${name}/given`), 3 * D);
  const own = openProduct(tensor(`${name}/own`), 2 * D);
  const candidate = openProduct(tensor(`${name}/candidate`), D);
  const bias = tensor(`${name}/bias`);
  const reset = new Float64Array(D); // [D] f64: r x
  const result = new Float64Array(D); // [D] f64
  return (x, y) => {
    const [g, o] = [given(y), own(x)];
    for (let j = 0; j < D; j++) reset[j] = sigmoid(g[j] + o[j]) * x[j];
    const c = candidate(reset);
    for (let j = 0; j < D; j++) {
      const z = sigmoid(g[D + j] + o[D + j] - bias[j]);
      result[j] = x[j] + z * (Math.tanh(g[2 * D + j] + c[j]) - x[j]);
    }
    return result;
  };
}

/** Two layers, a relu between them. */
export function openFeedForward(tensor: FindTensor, block: string): RowLayer {
  const [first, second] = [openDense(tensor, `${block}/feed0`), openDense(tensor, `${block}/feed1`)];
  return (x) => {
    const hidden = first(x);
    for (let j = 0; j < hidden.length; j++) if (hidden[j] < 0) hidden[j] = 0;
    return second(hidden);
  };
}
