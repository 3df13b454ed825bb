/**
 * PQN's loss in tfjs operations: the readable reference, used by every tfjs backend. The same in closed form at the network's outputs stands
 * in `gradient.ts`, with the equation; a test holds the two together.
 */
import type { JsonObject } from '../../src/json.ts';
import type { TensorObjective } from '../../src/learner/tensorflow/objective/tensor-objective.ts';
import type { ModelSpec } from '../../src/policy/networks/model.ts';
import type { Scalar, Tensor } from '../../src/policy/tensor-types.ts';

/** @param options `sizes`: actions of each branch. */
export function createPqnLoss(_model: ModelSpec, { sizes }: JsonObject): TensorObjective {
  const branches = sizes as readonly number[];
  return [
    (scope) => () => {
      const { tf } = scope;
      const outputs = scope.apply('q', [scope.column('observations')]); // [B, S]
      const [numRows] = outputs.shape;
      const actions = scope.column('actions'); // [B, branches]
      const returns = scope.vector('returns'); // [B]
      let first = 0;
      const taken = branches.map((size, branch): Tensor => {
        const values = tf.slice(outputs, [0, first], [numRows, size]);
        const action = tf.reshape(tf.slice(actions, [0, branch], [numRows, 1]), [-1]);
        first += size;
        // made as int32 and cast, since the wasm backend fills a float32 one-hot with integer bits
        const chosen = tf.cast(tf.oneHot(tf.cast(action, 'int32'), size), 'float32'); // [B, size]
        return tf.sum(tf.mul(values, chosen), 1); // [B]
      });
      const average = (values: readonly Tensor[]) =>
        tf.div(tf.mean(values.reduce((sum, value) => tf.add(sum, value))), branches.length) as Scalar;
      const errors = taken.map((value) => tf.sub(value, returns));
      const loss = tf.mul(average(errors.map((error) => tf.square(error))), 0.5) as Scalar;
      const stats = {
        loss,
        qMean: average(taken),
        tdErrorMean: average(errors.map((error) => tf.abs(error))),
      };
      return { loss, stats };
    },
  ];
}
