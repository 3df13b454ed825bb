/**
 * A network as a list of layer records in memory (written by ../layer-program.ts, whose table names the words).
 *
 * Offsets are relative to the parameters (forward, transpose) or to a gradient slab of the same layout (backward);
 * everything else is an address. Strides in bytes.
 */
import { applyActivation, applyDerivative, RELU, TANH } from './activation';
import { applyMask } from './mask';
import { hasWholePanels, multiply, multiplyBack, multiplyRelu } from './multiply';
import { normalizationGradients, normalize, normalizeBack } from './normalization';
import { columnSums, outerProduct } from './outer-product';
import { transpose } from './transpose';

const RECORD_BYTES: usize = 108;

// @ts-ignore: decorator
@inline
function word(record: usize, index: usize): u32 {
  return load<u32>(record + (index << 2));
}

/** Runs layers 0 .. count - 1 over one block of rows. */
export function forward(layers: usize, count: i32, parameters: usize, rows: i32): void {
  for (let k = 0; k < count; k++) {
    const layer = layers + <usize>k * RECORD_BYTES;
    const outputs = word(layer, 3);
    // scratch columns are padded to 16, so whole vectors may be stored; dense outputs end exactly
    const columns = word(layer, 10) ? outputs : (outputs + 3) & ~3;
    const mask = word(layer, 26);
    if (word(layer, 4) == RELU && !word(layer, 20) && mask == 0 && hasWholePanels(columns)) {
      multiplyRelu(
        word(layer, 5), word(layer, 6), parameters + word(layer, 0), outputs << 2, parameters + word(layer, 1),
        word(layer, 2), word(layer, 7), word(layer, 8), rows, columns,
      );
      continue;
    }
    multiply(
      word(layer, 5), word(layer, 6), parameters + word(layer, 0), outputs << 2, parameters + word(layer, 1),
      word(layer, 2), word(layer, 7), word(layer, 8), rows, columns, false,
    );
    if (mask != 0) applyMask(word(layer, 7), word(layer, 8), mask, word(layer, 8), rows, outputs);
    if (word(layer, 20)) {
      normalize(
        word(layer, 7), word(layer, 8), rows, outputs, parameters + word(layer, 21), parameters + word(layer, 22),
        word(layer, 23), word(layer, 24),
      );
    }
    applyActivation(word(layer, 4), word(layer, 7), word(layer, 8), rows, outputs, word(layer, 9));
  }
}

/** What `backward` needs of the parameters: transposed copies of kernels that pass a gradient on, and normalisation's gains. */
export function transposeKernels(layers: usize, count: i32, parameters: usize): void {
  for (let k = 0; k < count; k++) {
    const layer = layers + <usize>k * RECORD_BYTES;
    const gains = word(layer, 25);
    if (gains != 0) memory.copy(gains, parameters + word(layer, 21), <usize>word(layer, 3) << 2);
    if (word(layer, 11) == 0) continue;
    transpose(
      parameters + word(layer, 0), word(layer, 3) << 2, word(layer, 2), word(layer, 3), word(layer, 11), word(layer, 12),
    );
  }
}

function backThroughNormalization(layer: usize, gradients: usize, rows: i32, accumulate: bool): void {
  const gradOut = word(layer, 13);
  const gradOutStride = word(layer, 14);
  const columns = word(layer, 3);
  if (gradients != 0) {
    normalizationGradients(
      gradOut, gradOutStride, word(layer, 23), word(layer, 8), rows, columns,
      gradients + word(layer, 21), gradients + word(layer, 22), accumulate,
    );
  }
  normalizeBack(
    gradOut, gradOutStride, word(layer, 23), word(layer, 8), word(layer, 24), word(layer, 25), rows, columns,
  );
}

/**
 * Gradients of kernels and biases into (or added to) a slab, from the last layer to the first; of inputs wherever a record has
 * somewhere to put them, the first layer's included. `gradients` 0 = of inputs alone.
 */
export function backward(layers: usize, count: i32, gradients: usize, rows: i32, accumulate: bool): void {
  for (let k = count - 1; k >= 0; k--) {
    const layer = layers + <usize>k * RECORD_BYTES;
    const inputs = word(layer, 2);
    const outputs = word(layer, 3);
    const gradOut = word(layer, 13);
    const gradOutStride = word(layer, 14);
    if (word(layer, 20)) backThroughNormalization(layer, gradients, rows, accumulate);
    const mask = word(layer, 26);
    if (mask != 0) applyMask(gradOut, gradOutStride, mask, word(layer, 8), rows, outputs);
    if (gradients != 0) {
      outerProduct(
        word(layer, 5), word(layer, 6), gradOut, gradOutStride, rows, inputs,
        gradients + word(layer, 0), outputs << 2, outputs, accumulate,
      );
      columnSums(gradOut, gradOutStride, rows, outputs, gradients + word(layer, 1), accumulate);
    }
    const gradIn = word(layer, 15);
    if (gradIn == 0) continue;
    const gradInStride = word(layer, 16);
    const columns = (inputs + 3) & ~3;
    const accumulates = word(layer, 17) != 0;
    const activation = word(layer, 18);
    if ((activation == TANH || activation == RELU) && hasWholePanels(columns)) {
      multiplyBack(
        gradOut, gradOutStride, word(layer, 11), word(layer, 12), outputs,
        gradIn, gradInStride, rows, columns, accumulates, activation == TANH,
        word(layer, 5), word(layer, 6),
      );
      continue;
    }
    multiply(
      gradOut, gradOutStride, word(layer, 11), word(layer, 12), 0, outputs,
      gradIn, gradInStride, rows, columns, accumulates,
    );
    applyDerivative(
      activation, gradIn, gradInStride, word(layer, 5), word(layer, 6), word(layer, 19), rows, inputs,
    );
  }
}
