/**
 * The action distributions of `policy-spec.ts` in tfjs operations: log-probability and entropy, differentiable in the
 * distribution parameters and in logStd.
 *
 * B = rows, P = distribution parameters, A = action elements, H = latent size. `gather` is avoided throughout: its
 * gradient does not exist on the wasm backend.
 */
import { GSDE_VARIANCE_EPSILON } from './distributions/gsde.ts';
import { MASKED_LOGIT } from './distributions/product.ts';
import {
  actionSize,
  type DistributionSpec,
  distributionSize,
  freeLogStdSize,
  type ProductSpec,
} from './policy-spec.ts';
import type { NetworkOutputs, Tensor, TensorFlow } from './tensor-types.ts';

const HALF_LOG_2PI = 0.5 * Math.log(2 * Math.PI);

export interface ActionStatistics {
  /** log pi(a | s), summed over the action's elements; with `squash` it includes the tanh correction. */
  readonly logProbs: Tensor; // [B] f32
  /** Exact per row, except with `squash`, where it is the one-sample estimate -logProb. */
  readonly entropies: Tensor; // [B] f32
}

/**
 * Log-probabilities of given actions, and entropies.
 *
 * @param actions [B, A]: i32 for categorical and bernoulli, else f32; with `squash` they are u, before tanh.
 * @param masks [B, maskSize] f32 of 0 and 1, or null.
 */
export function actionStatistics(
  tf: TensorFlow,
  distribution: DistributionSpec,
  outputs: NetworkOutputs,
  actions: Tensor,
  masks: Tensor | null,
): ActionStatistics {
  switch (distribution.kind) {
    case 'categorical':
      return categoricalStatistics(tf, distribution.sizes, outputs.distributionParameters, actions, masks);
    case 'bernoulli':
      return bernoulliStatistics(tf, outputs.distributionParameters, actions);
    case 'gaussian':
    case 'gsde':
      return gaussianStatistics(tf, distribution, outputs, actions);
    case 'product':
      return productStatistics(tf, distribution, outputs, actions, masks);
  }
}

/** Sums over heads, each over its own columns of parameters, actions and masks. */
function productStatistics(
  tf: TensorFlow,
  { heads }: ProductSpec,
  outputs: NetworkOutputs,
  actions: Tensor,
  masks: Tensor | null,
): ActionStatistics {
  const [numRows] = actions.shape;
  const columns = (tensor: Tensor, first: number, size: number) =>
    tf.slice(tensor, [0, first], [numRows, size]);
  const at = { output: 0, action: 0, mask: 0, logStd: 0 };
  const statistics = heads.map((head) => {
    const [P, A, S] = [distributionSize(head), actionSize(head), freeLogStdSize(head)];
    const isChoice = head.kind === 'categorical';
    const distributionParameters = columns(outputs.distributionParameters, at.output, P);
    const logStd = S === 0 || outputs.logStd === null ? null : tf.slice(outputs.logStd, [at.logStd], [S]);
    const ofHead = actionStatistics(
      tf,
      head,
      { ...outputs, distributionParameters, logStd },
      columns(actions, at.action, A),
      masks !== null && isChoice ? columns(masks, at.mask, P) : null,
    );
    at.output += P;
    at.action += A;
    at.mask += isChoice ? P : 0;
    at.logStd += S;
    return ofHead;
  });
  return {
    logProbs: addAll(
      tf,
      statistics.map(({ logProbs }) => logProbs),
    ),
    entropies: addAll(
      tf,
      statistics.map(({ entropies }) => entropies),
    ),
  };
}

/** Sum over the components k of log softmax(logits_k)[a_k]; entropy -sum p log p. */
function categoricalStatistics(
  tf: TensorFlow,
  sizes: readonly number[],
  logits: Tensor,
  actions: Tensor,
  masks: Tensor | null,
): ActionStatistics {
  const numRows = logits.shape[0];
  const allowed =
    masks === null ? logits : tf.where(tf.cast(masks, 'bool'), logits, tf.fill(logits.shape, MASKED_LOGIT));
  const logProbs: Tensor[] = [];
  const entropies: Tensor[] = [];
  let start = 0;
  sizes.forEach((size, k) => {
    const componentLogits = sizes.length === 1 ? allowed : tf.slice(allowed, [0, start], [numRows, size]);
    const logSoftmax = tf.logSoftmax(componentLogits); // [B, size]
    const action = tf.reshape(tf.slice(actions, [0, k], [numRows, 1]), [numRows]);
    // The wasm backend fills a float32 one-hot with integer bits, so it is made as int32 and cast.
    const chosen = tf.cast(tf.oneHot(tf.cast(action, 'int32'), size), 'float32'); // [B, size]
    logProbs.push(tf.sum(tf.mul(logSoftmax, chosen), 1));
    entropies.push(tf.neg(tf.sum(tf.mul(tf.exp(logSoftmax), logSoftmax), 1)));
    start += size;
  });
  return { logProbs: addAll(tf, logProbs), entropies: addAll(tf, entropies) };
}

/** Pairwise: `addN` of many tensors is wrong on WebGPU adapters with few storage buffers. */
function addAll(tf: TensorFlow, tensors: readonly Tensor[]): Tensor {
  return tensors.reduce((sum, tensor) => tf.add(sum, tensor));
}

/** log p = a l - softplus(l); H = softplus(l) - l sigmoid(l). */
function bernoulliStatistics(tf: TensorFlow, logits: Tensor, actions: Tensor): ActionStatistics {
  const softplus = tf.softplus(logits); // [B, A]
  return {
    logProbs: tf.sum(tf.sub(tf.mul(tf.cast(actions, 'float32'), logits), softplus), 1),
    entropies: tf.sum(tf.sub(softplus, tf.mul(logits, tf.sigmoid(logits))), 1),
  };
}

/** log N(a; mean, std) summed over elements; with `squash` minus sum_a log(1 - tanh(u_a)^2). */
function gaussianStatistics(
  tf: TensorFlow,
  distribution: Extract<DistributionSpec, { kind: 'gaussian' | 'gsde' }>,
  outputs: NetworkOutputs,
  actions: Tensor,
): ActionStatistics {
  const logStd = distribution.kind === 'gsde' ? gsdeLogStd(tf, outputs) : freeLogStd(tf, outputs); // [B, A]
  const standardized = tf.div(tf.sub(actions, outputs.distributionParameters), tf.exp(logStd)); // [B, A]
  const logDensities = tf.sub(tf.sub(tf.mul(tf.square(standardized), -0.5), logStd), HALF_LOG_2PI);
  if (!distribution.squash) {
    return { logProbs: tf.sum(logDensities, 1), entropies: tf.sum(tf.add(logStd, 0.5 + HALF_LOG_2PI), 1) };
  }
  const logProbs = tf.sub(tf.sum(logDensities, 1), tf.sum(tanhCorrection(tf, actions), 1));
  return { logProbs, entropies: tf.neg(logProbs) };
}

/** [A] to [B, A]. */
function freeLogStd(tf: TensorFlow, { logStd, distributionParameters }: NetworkOutputs): Tensor {
  if (logStd === null) throw new TypeError('Expected `logStd` for a gaussian distribution, got null.');
  return tf.mul(tf.onesLike(distributionParameters), logStd);
}

/** 0.5 log(latent^2 exp(logStd)^2 + 1e-6), latent detached: [B, H] x [H, A] to [B, A]. */
function gsdeLogStd(tf: TensorFlow, { logStd, latent }: NetworkOutputs): Tensor {
  if (logStd === null || latent === null) {
    throw new TypeError(
      'Expected `logStd` and `latent` for a gsde distribution; a custom network has no latent.',
    );
  }
  const variance = tf.matMul(tf.square(detach(tf, latent)), tf.exp(tf.mul(logStd, 2)));
  return tf.mul(tf.log(tf.add(variance, GSDE_VARIANCE_EPSILON)), 0.5);
}

/** log(1 - tanh(u)^2) = 2 (log 2 - u - softplus(-2u)), which does not cancel for large |u|. */
function tanhCorrection(tf: TensorFlow, u: Tensor): Tensor {
  const half = tf.sub(tf.sub(Math.LN2, u), tf.softplus(tf.mul(u, -2)));
  return tf.mul(half, 2);
}

/** Identity whose gradient is zero. */
export function detach(tf: TensorFlow, x: Tensor): Tensor {
  const identity = tf.customGrad((...inputs) => {
    const input = inputs[0] as Tensor;
    return { value: tf.clone(input), gradFunc: (dy: Tensor) => tf.zerosLike(dy) };
  });
  return identity(x);
}
