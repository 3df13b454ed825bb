/**
 * DQN's loss in tfjs operations: the readable reference, used by every tfjs backend. The same in closed form at the network's outputs
 * stands in `gradient.ts` and `return-losses.ts`, with the equations; a test holds the two together.
 */
import type { JsonObject } from '../../src/json.ts';
import type {
  TensorObjective,
  TensorScope,
} from '../../src/learner/tensorflow/objective/tensor-objective.ts';
import type { ModelSpec } from '../../src/policy/networks/model.ts';
import type { Scalar, Tensor, TensorFlow } from '../../src/policy/tensor-types.ts';
import type { DqnLossOptions } from './objective.ts';

/** Q of an action that the mask forbids. */
const FORBIDDEN_VALUE = -1e30;

export function createDqnLoss(_model: ModelSpec, json: JsonObject): TensorObjective {
  const options = json as unknown as DqnLossOptions;
  const { sizes, support } = options.distribution;
  return [
    (scope) => {
      const { tf } = scope;
      const goal = targetAtoms(scope, options); // [B, numAtoms]
      return () => {
        const online = atomsOf(
          tf,
          scope.apply('q', [scope.column('observations')], noiseOf('noise', options)),
          options,
        );
        const taken = sizes.map((size, branch) =>
          pickAction(tf, online[branch], actionOf(scope, branch, size)),
        );
        const losses = taken.map((atoms) => lossOf(tf, atoms, goal, options)); // [B] each
        const average = (values: readonly Tensor[]) =>
          tf.div(
            values.reduce((sum, value) => tf.add(sum, value)),
            values.length,
          );
        const rows = average(losses); // [B]
        const weighted = options.isWeighted ? tf.mul(rows, scope.vector('weights')) : rows;
        const means = taken.map((atoms) => meanOf(tf, atoms, options)); // [B] each
        const targetMean = support === null ? tf.mean(goal, 1) : expectation(tf, goal, options);
        const errors = means.map((value) => tf.abs(tf.sub(value, targetMean)));
        const tdErrors = support === null ? average(errors) : rows;
        const loss = tf.mean(weighted) as Scalar;
        const qMean = tf.mean(average(means)) as Scalar;
        const stats = {
          loss,
          qMean,
          targetMean: tf.mean(targetMean) as Scalar,
          tdErrorMean: tf.mean(tdErrors) as Scalar,
        };
        return { loss, stats, rowOutputs: { tdErrors: tf.reshape(tdErrors, [-1]) } };
      };
    },
  ];
}

const noiseOf = (name: string, { isNoisy }: DqnLossOptions) => (isNoisy ? name : undefined);

/** What the next state is worth, y: values or quantiles, or C51's projected probabilities. */
function targetAtoms(scope: TensorScope, options: DqnLossOptions): Tensor {
  const { tf } = scope;
  const { double, hasMasks } = options;
  const { sizes, support } = options.distribution;
  const next = scope.column('nextObservations');
  const apply = (network: string, noise: string) =>
    atomsOf(tf, scope.apply(network, [next], noiseOf(noise, options)), options);
  const following = apply('target/q', 'targetNoise');
  const choosing = double ? apply('q', 'chooserNoise') : following;
  let first = 0;
  const chosen = sizes.map((size, branch) => {
    const values = meanOf(tf, choosing[branch], options); // [B, size]
    const masks = hasMasks ? tf.slice(scope.column('nextMasks'), [0, first], [-1, size]) : null;
    first += size;
    const allowed =
      masks === null
        ? values
        : tf.where(tf.cast(masks, 'bool'), values, tf.fill(values.shape, FORBIDDEN_VALUE));
    return pickAction(tf, following[branch], oneHot(tf, tf.argMax(allowed, 1), size));
  });
  const kinds = support === null ? chosen : chosen.map((atoms) => tf.softmax(atoms));
  const average = tf.div(
    kinds.reduce((sum, atoms) => tf.add(sum, atoms)),
    sizes.length,
  ); // [B, numAtoms]
  const rewards = scope.column('rewards'); // [B, 1]
  const discounts = scope.column('discounts'); // [B, 1]
  if (support === null) return tf.add(rewards, tf.mul(discounts, average));
  return project(tf, average, rewards, discounts, options);
}

function actionOf(scope: TensorScope, branch: number, size: number): Tensor {
  const actions = scope.column('actions'); // [B, branches] i32
  return oneHot(scope.tf, scope.tf.reshape(scope.tf.slice(actions, [0, branch], [-1, 1]), [-1]), size);
}

/** Atoms [B, size, numAtoms] of each branch. */
function atomsOf(tf: TensorFlow, outputs: Tensor, { distribution }: DqnLossOptions): Tensor[] {
  const [numRows] = outputs.shape;
  const { sizes, numAtoms } = distribution;
  let first = distribution.dueling ? numAtoms : 0;
  return sizes.map((size) => {
    const flat = tf.slice(outputs, [0, first], [numRows, size * numAtoms]);
    first += size * numAtoms;
    const advantages = tf.reshape(flat, [numRows, size, numAtoms]);
    if (!distribution.dueling) return advantages;
    const value = tf.reshape(tf.slice(outputs, [0, 0], [numRows, numAtoms]), [numRows, 1, numAtoms]);
    return tf.add(value, tf.sub(advantages, tf.mean(advantages, 1, true)));
  });
}

/** [B, size] f32; made as int32 and cast, since the wasm backend fills a float32 one-hot with integer bits. */
function oneHot(tf: TensorFlow, actions: Tensor, size: number): Tensor {
  return tf.cast(tf.oneHot(tf.cast(actions, 'int32'), size), 'float32');
}

/** Atoms [B, numAtoms] of one action of each row. */
function pickAction(tf: TensorFlow, atoms: Tensor, chosen: Tensor): Tensor {
  const [numRows, size] = chosen.shape;
  return tf.sum(tf.mul(atoms, tf.reshape(chosen, [numRows, size, 1])), 1);
}

/** z_j of C51, [numAtoms]. */
function supportOf(tf: TensorFlow, { distribution: { support, numAtoms } }: DqnLossOptions): Tensor {
  const { low, high } = support ?? { low: 0, high: 0 };
  const step = (high - low) / (numAtoms - 1);
  return tf.tensor1d(Array.from({ length: numAtoms }, (_, j) => low + j * step));
}

/** sum_j p_j z_j over the last dimension. */
const expectation = (tf: TensorFlow, probabilities: Tensor, options: DqnLossOptions): Tensor =>
  tf.sum(tf.mul(probabilities, supportOf(tf, options)), -1);

/** The mean of the return that atoms stand for, over the last dimension. */
function meanOf(tf: TensorFlow, atoms: Tensor, options: DqnLossOptions): Tensor {
  return options.distribution.support === null
    ? tf.mean(atoms, -1)
    : expectation(tf, tf.softmax(atoms), options);
}

/** m_i = sum_j p_j clip(1 - |T_j - z_i| / step, 0, 1), T_j = clip(r + discount z_j). */
function project(
  tf: TensorFlow,
  probabilities: Tensor,
  rewards: Tensor,
  discounts: Tensor,
  options: DqnLossOptions,
): Tensor {
  const { support, numAtoms } = options.distribution;
  const { low, high } = support ?? { low: 0, high: 0 };
  const z = supportOf(tf, options);
  const [numRows] = probabilities.shape;
  const moved = tf.clipByValue(tf.add(rewards, tf.mul(discounts, z)), low, high); // [B, N]
  const distance = tf.abs(tf.sub(tf.reshape(moved, [numRows, 1, numAtoms]), tf.reshape(z, [1, numAtoms, 1]))); // [B, i, j]
  const shares = tf.clipByValue(tf.sub(1, tf.div(distance, (high - low) / (numAtoms - 1))), 0, 1);
  return tf.sum(tf.mul(shares, tf.reshape(probabilities, [numRows, 1, numAtoms])), 2);
}

/** 0.5 x^2 where |x| <= 1, else |x| - 0.5. */
export function huber(tf: TensorFlow, x: Tensor): Tensor {
  const magnitude = tf.abs(x);
  const quadratic = tf.minimum(magnitude, 1);
  return tf.add(tf.mul(tf.square(quadratic), 0.5), tf.sub(magnitude, quadratic));
}

/** |tau_i - 1(u < 0)| Huber(u) as tau_i Huber(max(u, 0)) + (1 - tau_i) Huber(max(-u, 0)), [B, N, targets]; u = y_j - theta_i. */
export function quantileErrors(tf: TensorFlow, predicted: Tensor, targets: Tensor): Tensor {
  const [numRows, N] = predicted.shape as [number, number];
  const u = tf.sub(tf.reshape(targets, [numRows, 1, -1]), tf.reshape(predicted, [numRows, N, 1]));
  const taus = tf.reshape(tf.tensor1d(Array.from({ length: N }, (_, i) => (i + 0.5) / N)), [1, N, 1]);
  const above = tf.mul(taus, huber(tf, tf.relu(u)));
  return tf.add(above, tf.mul(tf.sub(1, taus), huber(tf, tf.relu(tf.neg(u)))));
}

/** [B]. */
function lossOf(
  tf: TensorFlow,
  predicted: Tensor,
  goal: Tensor,
  { distribution, loss }: DqnLossOptions,
): Tensor {
  if (distribution.support !== null) return tf.neg(tf.sum(tf.mul(goal, tf.logSoftmax(predicted)), 1));
  if (distribution.numAtoms > 1) return tf.sum(tf.mean(quantileErrors(tf, predicted, goal), 2), 1);
  const delta = tf.reshape(tf.sub(predicted, goal), [-1]);
  return loss === 'huber' ? huber(tf, delta) : tf.square(delta);
}
