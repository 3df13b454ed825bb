/**
 * The loss of a policy gradient with a critic in tfjs operations: the readable reference, used by every tfjs backend. A2C's and IMPALA's.
 *
 * The same loss as a closed-form gradient at the network's outputs stands in `gradient.ts`; a test holds the two together.
 */
import type { LossResult, TensorBatch } from '../../src/learner/tensorflow/tensor-loss.ts';
import type { PolicySpec } from '../../src/policy/policy-spec.ts';
import { actionStatistics } from '../../src/policy/tensor-distributions.ts';
import type { NetworkOutputs, Scalar, TensorFlow } from '../../src/policy/tensor-types.ts';

/** The part of the loss that does not change during a run; plain JSON. */
export interface PolicyGradientOptions {
  /** Weight of the value loss. */
  readonly valueCoeff: number;
}

/**
 * The loss (Mnih et al. 2016, arXiv:1602.01783, section 4), to be minimised:
 *
 *     L          = policyLoss + valueCoeff * valueLoss - entropyCoeff * entropy
 *     policyLoss = -mean(logProb A),    valueLoss = mean((V - R)^2), without a half,    entropy = mean(H(pi(. | s)))
 *
 * A and R are constants: of GAE in A2C, of V-trace, the ratio within A, in IMPALA.
 *
 * @param batch advantages come in normalised, when they are to be.
 * @param scalars `entropyCoeff`.
 */
export function policyGradientLoss(
  tf: TensorFlow,
  { distribution }: PolicySpec,
  outputs: NetworkOutputs,
  { actions, masks, advantages, returns }: TensorBatch,
  { entropyCoeff }: Readonly<Record<string, Scalar>>,
  { valueCoeff }: PolicyGradientOptions,
): LossResult {
  const { logProbs, entropies } = actionStatistics(tf, distribution, outputs, actions, masks);
  const policyLoss = tf.neg(tf.mean(tf.mul(logProbs, advantages))) as Scalar;
  const valueLoss = tf.mean(tf.square(tf.sub(outputs.values, returns))) as Scalar;
  const entropy = tf.mean(entropies) as Scalar;
  const loss = tf.sub(tf.add(policyLoss, tf.mul(valueLoss, valueCoeff)), tf.mul(entropyCoeff, entropy));
  return { loss: loss as Scalar, stats: { policyLoss, valueLoss, entropy } };
}
