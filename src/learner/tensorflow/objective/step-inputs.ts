/** What a step is given, as tensors: uploaded once for all steps of an update. */
import type { Tensor, TensorFlow } from '../../../policy/tensor-types.ts';
import type { ObjectiveSpec } from '../../objective.ts';
import type { ObjectiveBatch, ObjectiveUpdate } from '../../objective-learner.ts';
import type { StepInputs } from './step-function.ts';

/** In the order that `splitInputs` knows; fresh arrays, since tfjs keeps a reference. @param corrections [numGroups, 2] f32. */
export function inputsOf(
  tf: TensorFlow,
  { columns: described, noises: draws = [], groups, scalars: names }: ObjectiveSpec,
  { numRows, columns, noises }: ObjectiveBatch,
  { scalars, observationStatistics }: ObjectiveUpdate,
  corrections: Float32Array,
): Tensor[] {
  const rows = described.map(({ name, dtype, size }) => {
    const data = dtype === 'float32' ? columns[name].slice() : Int32Array.from(columns[name]);
    return tf.tensor2d(data, [numRows, size], dtype === 'float32' ? 'float32' : 'int32');
  });
  const statistics =
    observationStatistics === null
      ? []
      : [observationStatistics.mean, observationStatistics.inverseStd].map((values) =>
          tf.tensor1d(values.slice(), 'float32'),
        );
  const numbers = names.map((name) => scalars[name]);
  return [
    ...rows,
    ...draws.map(({ name }) => tf.tensor1d(noises[name].slice(), 'float32')),
    ...statistics,
    tf.tensor1d(numbers, 'float32'),
    tf.tensor2d(corrections, [groups.length, 2], 'float32'),
  ];
}

export function splitInputs(tensors: readonly Tensor[], { columns, noises = [] }: ObjectiveSpec): StepInputs {
  const end = columns.length + noises.length;
  const rest = tensors.slice(end);
  const [mean, inverseStd] = rest;
  return {
    columns: tensors.slice(0, columns.length),
    noises: tensors.slice(columns.length, end),
    statistics: rest.length === 4 ? { mean, inverseStd } : null,
    scalars: rest[rest.length - 2],
    corrections: rest[rest.length - 1],
  };
}

/**
 * For each group, what Adam's step number t = 1 + steps so far makes of learning rate and epsilon; in float64, [numGroups, 2] f32.
 *
 * The same for all steps of an update: a group belongs to one step, so no other step of the update counts it.
 */
export function correctionsOf(
  { groups }: ObjectiveSpec,
  steps: readonly number[],
  scalars: ObjectiveUpdate['scalars'],
): Float32Array {
  const corrections = new Float32Array(2 * groups.length);
  groups.forEach(({ learningRate, adamBeta1, adamBeta2, adamEpsilon }, g) => {
    const t = steps[g] + 1;
    const correction = Math.sqrt(1 - adamBeta2 ** t);
    corrections[2 * g] = (scalars[learningRate] * correction) / (1 - adamBeta1 ** t);
    corrections[2 * g + 1] = adamEpsilon * correction;
  });
  return corrections;
}
