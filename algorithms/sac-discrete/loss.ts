/**
 * Discrete SAC's losses in tfjs operations: the readable reference, used by every tfjs backend. The same in closed form at the networks'
 * outputs stands in `gradient.ts`, with the equations; a test holds the two together.
 */
import type { JsonObject } from '../../src/json.ts';
import type {
  TensorObjective,
  TensorScope,
  TensorStep,
} from '../../src/learner/tensorflow/objective/tensor-objective.ts';
import { criticNames, type ModelSpec } from '../../src/policy/networks/model.ts';
import { detach } from '../../src/policy/tensor-distributions.ts';
import type { Scalar, Tensor, TensorFlow } from '../../src/policy/tensor-types.ts';
import { temperatureOf } from '../sac/loss.ts';
import type { SacDiscreteLossOptions } from './objective.ts';

/** Logit of an action that the mask forbids: its probability is 0 in float32. */
const FORBIDDEN_LOGIT = -1e8;

export function createSacDiscreteLoss(model: ModelSpec, options: JsonObject): TensorObjective {
  const critics = criticNames(Object.keys(model.targets).length);
  const { hasMasks } = options as SacDiscreteLossOptions;
  return [criticStep(model, critics, hasMasks), actorStep(model, critics, hasMasks)];
}

/** Probabilities and their logarithms [B, A], over the allowed actions. */
function policyOf({ tf, apply, column }: TensorScope, observations: string, masks: string | null) {
  const logits = apply('actor', [column(observations)]);
  const allowed =
    masks === null
      ? logits
      : tf.where(tf.cast(column(masks), 'bool'), logits, tf.fill(logits.shape, FORBIDDEN_LOGIT));
  return { probabilities: tf.softmax(allowed), logProbs: tf.logSoftmax(allowed) };
}

/** [B, A]. */
const smallest = (tf: TensorFlow, values: readonly Tensor[]): Tensor =>
  values.reduce((least, value) => tf.minimum(least, value));

/** sum_a p_a x_a, [B]. */
const expectation = (tf: TensorFlow, probabilities: Tensor, values: Tensor): Tensor =>
  tf.sum(tf.mul(probabilities, values), 1);

function criticStep(model: ModelSpec, critics: readonly string[], hasMasks: boolean): TensorStep {
  const numActions = model.networks.actor.outputs;
  return (scope) => {
    const { tf } = scope;
    const { probabilities, logProbs } = policyOf(scope, 'nextObservations', hasMasks ? 'nextMasks' : null);
    const next = critics.map((name) => scope.apply(`target/${name}`, [scope.column('nextObservations')]));
    const soft = tf.sub(smallest(tf, next), tf.mul(temperatureOf(scope, model), logProbs)); // [B, A]
    const value = expectation(tf, probabilities, soft);
    const y = tf.add(scope.vector('rewards'), tf.mul(scope.vector('discounts'), value)); // [B]
    // made as int32 and cast, since the wasm backend fills a float32 one-hot with integer bits
    const taken = tf.cast(tf.oneHot(tf.cast(scope.vector('actions'), 'int32'), numActions), 'float32');
    return () => {
      const q = critics.map((name) =>
        expectation(tf, taken, scope.apply(name, [scope.column('observations')])),
      ); // [B] each
      const losses = q.map((each) => tf.mul(tf.mean(tf.square(tf.sub(each, y))), 0.5));
      const criticLoss = losses.reduce((sum, loss) => tf.add(sum, loss)) as Scalar;
      const qMean = tf.mean(tf.stack(q)) as Scalar;
      return { loss: criticLoss, stats: { criticLoss, qMean, targetMean: tf.mean(y) as Scalar } };
    };
  };
}

function actorStep(model: ModelSpec, critics: readonly string[], hasMasks: boolean): TensorStep {
  return (scope) => {
    const { tf } = scope;
    const alpha = temperatureOf(scope, model); // before its own step
    const targetEntropy = scope.scalar('targetEntropy');
    const q = smallest(
      tf,
      critics.map((name) => scope.apply(name, [scope.column('observations')])),
    ); // [B, A]
    return () => {
      const { probabilities, logProbs } = policyOf(scope, 'observations', hasMasks ? 'masks' : null);
      const actorLoss = tf.mean(expectation(tf, probabilities, tf.sub(tf.mul(alpha, logProbs), q))) as Scalar;
      const entropy = tf.neg(tf.mean(expectation(tf, probabilities, logProbs))) as Scalar;
      const maxProbability = tf.mean(tf.max(probabilities, 1)) as Scalar;
      const stats = { actorLoss, entropy, maxProbability };
      if (!('logTemperature' in model.free)) return { loss: actorLoss, stats };
      const missing = tf.sub(targetEntropy, detach(tf, entropy));
      const logTemperature = tf.reshape(scope.free('logTemperature'), []);
      const temperatureLoss = tf.neg(tf.mul(logTemperature, missing)) as Scalar;
      return { loss: tf.add(actorLoss, temperatureLoss) as Scalar, stats: { ...stats, temperatureLoss } };
    };
  };
}
