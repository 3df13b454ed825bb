/**
 * SAC's losses in tfjs operations: the readable reference, used by every tfjs backend. The same in closed form at the networks' outputs
 * stands in `gradient.ts`, with the equations; a test holds the two together.
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

const MIN_LOG_STD = -20;
const MAX_LOG_STD = 2;
const HALF_LOG_2PI = 0.5 * Math.log(2 * Math.PI);

export function createSacLoss(model: ModelSpec, _options: JsonObject): TensorObjective {
  const critics = criticNames(Object.keys(model.targets).length);
  return [criticStep(model, critics), createActorLoss(model, critics, smallest)];
}

/** An action a = tanh(mean + std e), and log pi(a | s) [B] without the cancellation of log(1 - a^2). */
export function sampleSquashed(tf: TensorFlow, outputs: Tensor, noise: Tensor) {
  const [numRows, numActions] = noise.shape as [number, number];
  const means = tf.slice(outputs, [0, 0], [numRows, numActions]);
  const raw = tf.slice(outputs, [0, numActions], [numRows, numActions]);
  const logStd = tf.clipByValue(raw, MIN_LOG_STD, MAX_LOG_STD); // [B, A]
  const u = tf.add(means, tf.mul(tf.exp(logStd), noise)); // [B, A]
  const normal = tf.sub(tf.sub(tf.mul(tf.square(noise), -0.5), logStd), HALF_LOG_2PI);
  const correction = tf.mul(tf.sub(tf.sub(Math.LN2, u), tf.softplus(tf.mul(u, -2))), 2);
  return { actions: tf.tanh(u), logProbs: tf.sum(tf.sub(normal, correction), 1), logStd };
}

/** exp(log alpha), or the fixed one. */
export function temperatureOf(scope: TensorScope, model: ModelSpec): Tensor {
  return 'logTemperature' in model.free
    ? scope.tf.reshape(scope.tf.exp(scope.free('logTemperature')), [])
    : scope.scalar('temperature');
}

const smallest = (tf: TensorFlow, values: readonly Tensor[]): Tensor =>
  tf.reshape(
    values.reduce((least, value) => tf.minimum(least, value)),
    [-1],
  );

function criticStep(model: ModelSpec, critics: readonly string[]): TensorStep {
  return (scope) => {
    const { tf } = scope;
    const next = scope.column('nextObservations');
    const { actions, logProbs } = sampleSquashed(tf, scope.apply('actor', [next]), scope.column('nextNoise'));
    const values = smallest(
      tf,
      critics.map((name) => scope.apply(`target/${name}`, [next, actions])),
    );
    const soft = tf.sub(values, tf.mul(temperatureOf(scope, model), logProbs)); // [B]
    const y = tf.add(scope.vector('rewards'), tf.mul(scope.vector('discounts'), soft)); // [B]
    return () => {
      const inputs = [scope.column('observations'), scope.column('actions')];
      const q = critics.map((name) => tf.reshape(scope.apply(name, inputs), [-1])); // [B] each
      const losses = q.map((value) => tf.mul(tf.mean(tf.square(tf.sub(value, y))), 0.5));
      const criticLoss = losses.reduce((sum, loss) => tf.add(sum, loss)) as Scalar;
      const qMean = tf.mean(tf.stack(q)) as Scalar;
      return { loss: criticLoss, stats: { criticLoss, qMean, targetMean: tf.mean(y) as Scalar } };
    };
  };
}

/** Actor and temperature; `criticValue` is what the actor makes larger, [B] of the critics' outputs. SAC's and TQC's. */
export function createActorLoss(
  model: ModelSpec,
  critics: readonly string[],
  criticValue: (tf: TensorFlow, outputs: readonly Tensor[]) => Tensor,
): TensorStep {
  return (scope) => {
    const { tf } = scope;
    const observations = scope.column('observations');
    const alpha = temperatureOf(scope, model); // before its own step
    const targetEntropy = scope.scalar('targetEntropy');
    return () => {
      const outputs = scope.apply('actor', [observations]);
      const { actions, logProbs, logStd } = sampleSquashed(tf, outputs, scope.column('noise'));
      const value = criticValue(
        tf,
        critics.map((name) => scope.apply(name, [observations, actions])),
      );
      const actorLoss = tf.mean(tf.sub(tf.mul(alpha, logProbs), value)) as Scalar;
      const saturated = tf.cast(tf.greater(tf.abs(actions), 0.99), 'float32');
      const stats = {
        actorLoss,
        entropy: tf.neg(tf.mean(logProbs)) as Scalar,
        actionStd: tf.mean(tf.exp(logStd)) as Scalar,
        saturation: tf.mean(saturated) as Scalar,
      };
      if (!('logTemperature' in model.free)) return { loss: actorLoss, stats };
      const excess = tf.mean(tf.add(detach(tf, logProbs), targetEntropy));
      const temperatureLoss = tf.neg(tf.mul(tf.reshape(scope.free('logTemperature'), []), excess)) as Scalar;
      return { loss: tf.add(actorLoss, temperatureLoss) as Scalar, stats: { ...stats, temperatureLoss } };
    };
  };
}
