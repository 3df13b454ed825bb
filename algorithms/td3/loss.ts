/**
 * TD3's losses in tfjs operations: the readable reference, used by every tfjs backend. The same in closed form at the networks' outputs
 * stands in `gradient.ts`, with the equations; a test holds the two together.
 */
import type { JsonObject } from '../../src/json.ts';
import type { TensorObjective, TensorStep } from '../../src/learner/tensorflow/objective/tensor-objective.ts';
import { criticNames, type ModelSpec } from '../../src/policy/networks/model.ts';
import type { Scalar } from '../../src/policy/tensor-types.ts';

export function createTd3Loss(model: ModelSpec, _options: JsonObject): TensorObjective {
  return [criticStep(criticNames(Object.keys(model.targets).length - 1)), actorStep];
}

function criticStep(critics: readonly string[]): TensorStep {
  return (scope) => {
    const { tf } = scope;
    const next = scope.column('nextObservations');
    const bound = scope.scalar('targetNoiseClip');
    const drawn = tf.mul(scope.scalar('targetNoise'), scope.column('nextNoise')); // [B, A]
    const noise = tf.maximum(tf.neg(bound), tf.minimum(bound, drawn));
    const actions = tf.clipByValue(tf.add(tf.tanh(scope.apply('target/actor', [next])), noise), -1, 1);
    const values = critics
      .map((name) => scope.apply(`target/${name}`, [next, actions]))
      .reduce((least, value) => tf.minimum(least, value));
    const y = tf.add(scope.vector('rewards'), tf.mul(scope.vector('discounts'), tf.reshape(values, [-1]))); // [B]
    return () => {
      const inputs = [scope.column('observations'), scope.column('actions')];
      const q = critics.map((name) => tf.reshape(scope.apply(name, inputs), [-1])); // [B] each
      const losses = q.map((value) => tf.mean(tf.square(tf.sub(value, y))));
      const criticLoss = losses.reduce((sum, loss) => tf.add(sum, loss)) as Scalar;
      return {
        loss: criticLoss,
        stats: { criticLoss, qMean: tf.mean(tf.stack(q)) as Scalar, targetMean: tf.mean(y) as Scalar },
      };
    };
  };
}

const actorStep: TensorStep = (scope) => () => {
  const { tf } = scope;
  const observations = scope.column('observations');
  const actions = tf.tanh(scope.apply('actor', [observations]));
  const actorLoss = tf.neg(tf.mean(scope.apply('q1', [observations, actions]))) as Scalar;
  const saturation = tf.mean(tf.cast(tf.greater(tf.abs(actions), 0.99), 'float32')) as Scalar;
  return { loss: actorLoss, stats: { actorLoss, saturation } };
};
