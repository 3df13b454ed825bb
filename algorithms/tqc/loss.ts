/**
 * TQC's losses in tfjs operations: the readable reference, used by every tfjs backend. The same in closed form at the networks' outputs
 * stands in `gradient.ts`, with the equations; a test holds the two together.
 */
import type { JsonObject } from '../../src/json.ts';
import type { TensorObjective, TensorStep } from '../../src/learner/tensorflow/objective/tensor-objective.ts';
import { criticNames, type ModelSpec } from '../../src/policy/networks/model.ts';
import type { Scalar, Tensor } from '../../src/policy/tensor-types.ts';
import { quantileErrors } from '../dqn/loss.ts';
import { createActorLoss, sampleSquashed, temperatureOf } from '../sac/loss.ts';
import type { TqcLossOptions } from './gradient.ts';

export function createTqcLoss(model: ModelSpec, json: JsonObject): TensorObjective {
  const options = json as unknown as TqcLossOptions;
  const critics = criticNames(Object.keys(model.targets).length);
  return [
    criticStep(model, critics, options),
    createActorLoss(model, critics, (tf, outputs) => tf.mean(tf.concat([...outputs], 1), 1)),
  ];
}

function criticStep(
  model: ModelSpec,
  critics: readonly string[],
  { numDropped }: TqcLossOptions,
): TensorStep {
  const numKept = critics.length * (model.networks.q1.outputs - numDropped);
  return (scope) => {
    const { tf } = scope;
    const next = scope.column('nextObservations');
    const { actions, logProbs } = sampleSquashed(tf, scope.apply('actor', [next]), scope.column('nextNoise'));
    const pooled = tf.concat(
      critics.map((name) => scope.apply(`target/${name}`, [next, actions])),
      1,
    );
    const { values: smallest } = tf.topk(tf.neg(pooled), numKept, true); // [B, numKept], negative
    const soft = tf.add(smallest, tf.mul(temperatureOf(scope, model), tf.reshape(logProbs, [-1, 1])));
    const y = tf.sub(scope.column('rewards'), tf.mul(scope.column('discounts'), soft)); // [B, numKept]
    return () => {
      const inputs = [scope.column('observations'), scope.column('actions')];
      const quantiles = critics.map((name) => scope.apply(name, inputs)); // [B, M] each
      const losses = quantiles.map((theta) => tf.mean(quantileErrors(tf, theta, y)));
      const criticLoss = tf.div(
        losses.reduce((sum, loss) => tf.add(sum, loss)),
        critics.length,
      ) as Scalar;
      const mean = (values: Tensor) => tf.mean(tf.mean(values, 1)) as Scalar; // rows first, as in `gradient.ts`
      const stats = { criticLoss, qMean: mean(tf.concat(quantiles, 1)), targetMean: mean(y) };
      return { loss: criticLoss, stats };
    };
  };
}
