/**
 * The loss of proximal policy optimization in tfjs operations: the readable reference, used by every tfjs backend.
 *
 * The same loss as a closed-form gradient at the network's outputs stands in `gradient.ts`; `test/algorithms/ppo`
 * holds the two together.
 */
import type { LossResult, TensorBatch } from '../../src/learner/tensorflow/tensor-loss.ts';
import type { PolicySpec } from '../../src/policy/policy-spec.ts';
import { actionStatistics } from '../../src/policy/tensor-distributions.ts';
import type { NetworkOutputs, Scalar, Tensor, TensorFlow } from '../../src/policy/tensor-types.ts';

/** The part of the loss that does not change during a run; plain JSON. */
export interface PpoLossOptions {
  /** Weight of the value loss. */
  readonly valueCoeff: number;
  /** Squared error, or Huber with delta 1. */
  readonly valueLoss: 'mse' | 'huber';
  /** Clip the value's change to `valueClipRange` (Engstrom et al. 2020, arXiv:2005.12729, detail 1). */
  readonly clipValues: boolean;
  /** A sample's value error counts at most this much, and has no gradient beyond it; null or left out = off. */
  readonly valueErrorBound?: number | null;
  /** Add `klPenaltyCoeff` times `approxKl` (section 4 of the paper). */
  readonly penalizeKl?: boolean;
}

/**
 * The PPO loss (Schulman et al. 2017, arXiv:1707.06347, equation 9), to be minimised:
 *
 *     L      = policyLoss + valueCoeff * valueLoss - entropyCoeff * entropy [+ klPenaltyCoeff * approxKl]
 *     policyLoss = -mean(min(r A, clip(r, 1 - clipRange, 1 + clipRange) A)),    r = exp(logProb - oldLogProb)
 *     valueLoss  = mean(e(V - R)),                                              e(x) = x^2, without a half
 *     entropy    = mean(H(pi(. | s)))
 *
 * With `clipValues`: valueLoss = mean(max(e(V - R), e(Vold + clip(V - Vold, -valueClipRange, valueClipRange) - R))).
 * With `huber`: e(x) = 0.5 x^2 where |x| <= 1, else |x| - 0.5. Entropy is exact, but for squashed actions, whose entropy
 * has no closed form: the estimate is -mean(logProb) of the stored actions, as in Stable-Baselines3. With `valueErrorBound` a row's
 * error is the smaller one of it and the bound (RLlib's `vf_clip_param`).
 *
 * Statistics: the three terms, `approxKl` = mean(r - 1 - log r) (Schulman's k3 estimator, http://joschu.net/blog/kl-approx.html)
 * and `clipFraction` = mean(|r - 1| > clipRange). With `penalizeKl` that estimator is the penalty, too: the paper and RLlib take
 * the exact divergence, whose gradient it has in expectation over the stored actions, E[(r - 1) dlogProb], and which would
 * need the acting policy's whole distribution for every row.
 *
 * @param batch advantages come in normalised, when they are to be.
 * @param scalars `clipRange`, `entropyCoeff`, `valueClipRange` with `clipValues`, `klPenaltyCoeff` with `penalizeKl`.
 */
export function ppoLoss(
  tf: TensorFlow,
  spec: PolicySpec,
  outputs: NetworkOutputs,
  batch: TensorBatch,
  scalars: Readonly<Record<string, Scalar>>,
  options: PpoLossOptions,
): LossResult {
  const { advantages, oldLogProbs } = batch;
  const { clipRange, entropyCoeff } = scalars;
  const { logProbs, entropies } = actionStatistics(
    tf,
    spec.distribution,
    outputs,
    batch.actions,
    batch.masks,
  );

  const logRatio = tf.sub(logProbs, oldLogProbs); // [B]
  const ratio = tf.exp(logRatio); // [B]
  const clippedRatio = tf.minimum(tf.maximum(ratio, tf.sub(1, clipRange)), tf.add(1, clipRange));
  const surrogate = tf.minimum(tf.mul(ratio, advantages), tf.mul(clippedRatio, advantages)); // [B]
  const policyLoss = tf.neg(tf.mean(surrogate)) as Scalar;

  const valueLoss = tf.mean(valueErrors(tf, outputs.values, batch, scalars, options)) as Scalar;
  const entropy = tf.mean(entropies) as Scalar;

  const approxKl = tf.mean(tf.sub(tf.sub(ratio, 1), logRatio)) as Scalar;

  const weightedValueLoss = tf.mul(valueLoss, options.valueCoeff);
  const plainLoss = tf.sub(tf.add(policyLoss, weightedValueLoss), tf.mul(entropyCoeff, entropy));
  const loss = options.penalizeKl ? tf.add(plainLoss, tf.mul(scalars.klPenaltyCoeff, approxKl)) : plainLoss;

  const outside = tf.greater(tf.abs(tf.sub(ratio, 1)), clipRange);
  const clipFraction = tf.mean(tf.cast(outside, 'float32')) as Scalar;
  return { loss: loss as Scalar, stats: { policyLoss, valueLoss, entropy, approxKl, clipFraction } };
}

/** {@link plainValueErrors}, bounded when that is asked for. */
function valueErrors(
  tf: TensorFlow,
  values: Tensor,
  batch: TensorBatch,
  scalars: Readonly<Record<string, Scalar>>,
  options: PpoLossOptions,
): Tensor {
  const errors = plainValueErrors(tf, values, batch, scalars, options); // [B]
  return typeof options.valueErrorBound === 'number' ? tf.minimum(errors, options.valueErrorBound) : errors;
}

/** e(V - R) per row, or the larger one of it and the error of the clipped value. */
function plainValueErrors(
  tf: TensorFlow,
  values: Tensor,
  { oldValues, returns }: TensorBatch,
  { valueClipRange }: Readonly<Record<string, Scalar>>,
  { valueLoss, clipValues }: PpoLossOptions,
): Tensor {
  const error = (difference: Tensor) => (valueLoss === 'mse' ? tf.square(difference) : huber(tf, difference));
  const errors = error(tf.sub(values, returns)); // [B]
  if (!clipValues) return errors;
  const change = tf.sub(values, oldValues);
  const clippedChange = tf.minimum(tf.maximum(change, tf.neg(valueClipRange)), valueClipRange);
  return tf.maximum(errors, error(tf.sub(tf.add(oldValues, clippedChange), returns)));
}

/** 0.5 x^2 where |x| <= 1, else |x| - 0.5, as q^2 / 2 + |x| - q with q = min(|x|, 1). */
function huber(tf: TensorFlow, x: Tensor): Tensor {
  const magnitude = tf.abs(x);
  const quadratic = tf.minimum(magnitude, 1);
  return tf.add(tf.mul(tf.square(quadratic), 0.5), tf.sub(magnitude, quadratic));
}
