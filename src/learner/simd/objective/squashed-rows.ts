/** A squashed Gaussian over a pass's outputs: scratch and calls of the kernels. */
import type { Kernels } from '../../../simd/kernel-exports.ts';
import type { Pass, SquashedRows } from '../../objective.ts';
import type { ThreadScratch } from './thread-scratch.ts';

/** @param actions a buffer of the thread, [blockRows, A]. @param noise a column's view, [blockRows, A]. */
export function createSquashedRows(
  policy: Pass,
  noise: Float32Array,
  actions: Float32Array,
  kernels: Kernels | null,
  scratch: ThreadScratch,
): SquashedRows {
  const { blockRows } = scratch;
  const size = actions.length / blockRows;
  if (policy.outputs.length !== 2 * actions.length || noise.length !== actions.length) {
    throw new TypeError(
      `Expected a mean and a log deviation for each element of noise, got ${policy.outputs.length / blockRows} outputs a row for ${noise.length / blockRows} elements.`,
    );
  }
  const take = (length: number) => scratch.floats(scratch.take(4 * length + 64), length);
  const perElement = () => take(actions.length);
  const [deviations, slopes, densities, byActions] = [perElement(), perElement(), perElement(), perElement()];
  const logProbs = take(blockRows);
  const at = (array: Float32Array) => array.byteOffset; // the arena's views begin at its first byte
  return {
    actions,
    logProbs,
    deviations,
    byActions,
    sample(numRows) {
      kernels?.sampleSquashed(
        at(policy.outputs),
        at(noise),
        numRows,
        size,
        at(actions),
        at(logProbs),
        at(deviations),
        at(slopes),
        at(densities),
      );
    },
    flowBack(numRows, byLogProb) {
      kernels?.flowBackSquashed(
        at(policy.outputs),
        at(noise),
        numRows,
        size,
        at(actions),
        at(deviations),
        at(slopes),
        at(byActions),
        byLogProb,
        at(policy.gradOutputs),
      );
    },
  };
}
