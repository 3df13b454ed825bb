/** The copy boundary between shared rollout memory and tensors. */

import type { RolloutViews } from '../../experience/layout.ts';
import { recurrentStateSize } from '../../policy/networks/recurrent-state.ts';
import { actionSize, type PolicySpec } from '../../policy/policy-spec.ts';
import type { SequenceTensors } from '../../policy/tensor-recurrent.ts';
import type { Tensor, TensorFlow } from '../../policy/tensor-types.ts';
import type { MinibatchTensors } from './gradient-step.ts';

/**
 * Copies the rows `indices[start ... end)` of a rollout into fresh arrays and makes tensors of them.
 *
 * tfjs keeps a reference to an array that it is given and may read it later, so neither shared memory nor a reused
 * buffer may be handed to it.
 */
export function gatherMinibatch(
  tf: TensorFlow,
  spec: PolicySpec,
  rollout: RolloutViews,
  indices: Int32Array, // [B] i32, flat indices n * T + t
  sequenceLength: number | null = null,
): MinibatchTensors {
  const numRows = indices.length;
  const column = (source: Float32Array) =>
    tf.tensor1d(gatherRows(source, 1, indices, new Float32Array(numRows)), 'float32');
  return {
    observations: gatherMatrix(tf, rollout.observations, spec.observationSize, indices),
    actions: gatherMatrix(tf, rollout.actions, actionSize(spec.distribution), indices),
    masks:
      spec.actionMaskSize === 0
        ? null
        : matrix(tf, Float32Array, rollout.actionMasks, spec.actionMaskSize, indices),
    oldLogProbs: column(rollout.logProbs),
    oldValues: column(rollout.values),
    advantages: column(rollout.advantages),
    returns: column(rollout.returns),
    sequences: sequenceLength === null ? null : gatherSequences(tf, spec, rollout, indices, sequenceLength),
  };
}

function gatherSequences(
  tf: TensorFlow,
  spec: PolicySpec,
  rollout: RolloutViews,
  indices: Int32Array,
  length: number,
): SequenceTensors {
  const { recurrentStates, terminated, truncated, burnIn, rolloutLength } = rollout;
  const first = indices.slice(0, indices.length / length); // the first steps' rows
  const floats = (rows: Int32Array, of: (i: number) => number) =>
    tf.tensor1d(Float32Array.from(rows, of), 'float32');
  const continues = (rows: Int32Array) => floats(rows, (i) => continuesAt(terminated, truncated, i));
  const before = rowsBefore(first, burnIn);
  return {
    length,
    states: matrix(
      tf,
      Float32Array,
      recurrentStates,
      recurrentStateSize(spec),
      first.map((i) => i / length),
    ),
    continues: continues(indices),
    burnIn:
      burnIn === 0
        ? null
        : {
            length: burnIn,
            observations: gatherMatrix(tf, rollout.observations, spec.observationSize, before),
            continues: continues(before),
            continuesInto: continues(first),
            exists: floats(first, (i) => hasBurnIn(i, rolloutLength)),
          },
  };
}

/** The `burnIn` rows before each of these, step by step; never before row 0. */
function rowsBefore(first: Int32Array, burnIn: number): Int32Array {
  const M = first.length;
  return Int32Array.from({ length: M * burnIn }, (_, k) =>
    Math.max(0, first[k % M] - burnIn + Math.floor(k / M)),
  );
}

/** Whether something is before the sequence that begins at row i: 1 or 0. */
export function hasBurnIn(i: number, rolloutLength: number): number {
  return i % rolloutLength === 0 ? 0 : 1;
}

/** Whether row i belongs to the episode of the row before it: 1 or 0. */
export function continuesAt(terminated: Uint8Array, truncated: Uint8Array, i: number): number {
  return i > 0 && (terminated[i - 1] !== 0 || truncated[i - 1] !== 0) ? 0 : 1;
}

/** Pixels become i32, since tfjs has no 8-bit tensors. */
function gatherMatrix(
  tf: TensorFlow,
  source: Float32Array | Int32Array | Uint8Array,
  width: number,
  indices: Int32Array,
): Tensor {
  return matrix(tf, source instanceof Float32Array ? Float32Array : Int32Array, source, width, indices);
}

function matrix(
  tf: TensorFlow,
  ArrayType: typeof Float32Array | typeof Int32Array,
  source: Float32Array | Int32Array | Uint8Array,
  width: number,
  indices: Int32Array,
): Tensor {
  const rows = gatherRows(source, width, indices, new ArrayType(indices.length * width));
  return tf.tensor2d(rows, [indices.length, width], rows instanceof Float32Array ? 'float32' : 'int32');
}

function gatherRows<T extends Float32Array | Int32Array>(
  source: Float32Array | Int32Array | Uint8Array,
  width: number,
  indices: Int32Array,
  target: T, // [indices.length, width]
): T {
  if (width > 16) {
    for (let k = 0; k < indices.length; k += 1) {
      const start = indices[k] * width;
      target.set(source.subarray(start, start + width), k * width);
    }
    return target;
  }
  for (let k = 0; k < indices.length; k += 1) {
    const start = indices[k] * width;
    for (let j = 0; j < width; j += 1) target[k * width + j] = source[start + j];
  }
  return target;
}
