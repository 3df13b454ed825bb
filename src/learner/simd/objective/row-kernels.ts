/** Losses and softmax over a thread's rows: calls of the kernels. */
import type { Kernels } from '../../../simd/kernel-exports.ts';
import type { QuantileLoss, QuantileLossRows, Softmax, SoftmaxRows } from '../../objective.ts';
import type { ThreadScratch } from './thread-scratch.ts';

export function createQuantileLoss(
  { predicted, gradient, targets, numTargets }: QuantileLossRows,
  kernels: Kernels | null,
  scratch: ThreadScratch,
): QuantileLoss {
  const { blockRows } = scratch;
  const [numQuantiles, targetSize] = [predicted, targets].map(({ length }) => length / blockRows);
  if (gradient.length !== predicted.length || numTargets > targetSize) {
    throw new TypeError(
      `Expected a gradient of ${numQuantiles} numbers a row and at most ${targetSize} targets, got ${gradient.length / blockRows} and ${numTargets}.`,
    );
  }
  const losses = scratch.floats(scratch.take(4 * blockRows), blockRows);
  return {
    losses,
    compare(numRows, scale) {
      kernels?.quantileHuber(
        predicted.byteOffset, // the arena's views begin at its first byte
        4 * numQuantiles,
        targets.byteOffset,
        4 * targetSize,
        numRows,
        numQuantiles,
        numTargets,
        scale,
        gradient.byteOffset,
        4 * numQuantiles,
        losses.byteOffset,
      );
    },
  };
}

export function createSoftmax(
  { values, probabilities, size }: SoftmaxRows,
  kernels: Kernels | null,
  scratch: ThreadScratch,
): Softmax {
  const { blockRows } = scratch;
  const perRow = values.length / blockRows / size;
  if (!Number.isInteger(perRow) || probabilities.length !== values.length) {
    throw new TypeError(
      `Expected as many probabilities as values, in groups of ${size}, got ${probabilities.length / blockRows} and ${values.length / blockRows} a row.`,
    );
  }
  const logSums = scratch.floats(scratch.take(4 * blockRows * perRow), blockRows * perRow);
  return {
    logSums,
    run: (numRows) =>
      kernels?.softmax(
        values.byteOffset,
        numRows * perRow,
        size,
        probabilities.byteOffset,
        logSums.byteOffset,
      ),
  };
}
