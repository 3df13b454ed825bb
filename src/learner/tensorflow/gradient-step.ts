/** One minibatch in tfjs operations: loss, gradient, norm clip. The same code runs eagerly and inside a captured graph. */
import type { ActingSpec, PolicySpec } from '../../policy/policy-spec.ts';
import type { TensorNetwork } from '../../policy/tensor-network.ts';
import type { SequenceTensors } from '../../policy/tensor-recurrent.ts';
import type { Scalar, Tensor, TensorFlow } from '../../policy/tensor-types.ts';
import { GRADIENT_BOUND, type UpdatePlan } from '../learner.ts';
import { runBurnIn } from './burn-in.ts';
import { packParameters, unpackParameters } from './flat-parameters.ts';
import type { TensorBatch, TensorLoss } from './tensor-loss.ts';

/** The rows of a minibatch and what does not belong to the loss. */
export interface MinibatchTensors extends TensorBatch {
  readonly observations: Tensor; // [B, obsSize] f32 or i32 (pixels), raw
  /** Of a recurrent policy, else null. */
  readonly sequences: SequenceTensors | null;
}

/** Observation statistics as tensors. */
export interface StatisticsTensors {
  readonly mean: Tensor; // [obsSize] f32
  readonly inverseStd: Tensor; // [obsSize] f32
}

/** A type, not an interface: tfjs' `tidy` wants an index signature. */
export type GradientStep = {
  /** `loss`, the loss's own statistics and `gradNorm` (before clipping), in the order of `statNames`. */
  readonly stats: Tensor; // [S] f32
  readonly gradient: Tensor; // [layout.size] f32, clipped
};

/** What an update's plan says about each of its minibatches. */
export interface MinibatchRules {
  readonly normalizeAdvantages: boolean;
  readonly nonFinite: UpdatePlan['nonFinite'];
}

export interface GradientStepOptions {
  readonly spec: PolicySpec;
  readonly network: TensorNetwork;
  readonly loss: TensorLoss;
  readonly maxGradNorm: number | null;
  /** Of a recurrent policy: steps of the sequences whose rows a minibatch has, step by step; null = rows are independent. */
  readonly sequenceLength: number | null;
  /** Steps before each sequence that only warm its state. */
  readonly burnIn: number;
}

/** Added to the norm before dividing, as PyTorch's clip_grad_norm_ does. */
const CLIP_EPSILON = 1e-6;
const ADVANTAGE_EPSILON = 1e-8;

/**
 * Loss, statistics and the clipped gradient of the flat parameters for one minibatch.
 *
 * The gradient is scaled by min(1, maxGradNorm / (norm + 1e-6)), where norm is over all parameters.
 *
 * @param statNames receives the names of `stats` when it is empty.
 */
export function gradientStep(
  tf: TensorFlow,
  { spec, network, loss, maxGradNorm }: GradientStepOptions,
  parameters: Tensor,
  batch: MinibatchTensors,
  statistics: StatisticsTensors | null,
  { normalizeAdvantages, nonFinite }: MinibatchRules,
  scalars: Readonly<Record<string, Scalar>>,
  statNames: string[],
): GradientStep {
  const entries = unpackParameters(tf, network.layout, parameters);
  const names = Object.keys(entries);
  const observations = prepareObservations(tf, spec, batch.observations, statistics);
  const sequences = runBurnIn(tf, network, entries, batch.sequences, (raw) =>
    prepareObservations(tf, spec, raw, statistics),
  );
  const advantages = normalizeAdvantages ? standardize(tf, batch.advantages) : batch.advantages;
  const kept: Record<string, Scalar> = {};
  const { value, grads } = tf.engine().gradients(
    () => {
      const outputs = network.apply(entries, observations, sequences);
      const result = loss(tf, outputs, { ...batch, advantages }, scalars);
      // The engine frees what the function does not return, and it may return one tensor only.
      for (const [name, stat] of Object.entries(result.stats)) kept[name] = tf.keep(stat);
      return result.loss;
    },
    names.map((name) => entries[name]),
    undefined as never,
    true,
  );
  const gradients = Object.fromEntries(names.map((name, k) => [name, grads[k] ?? undefined]));
  const gradient = packParameters(tf, network.layout, gradients);
  const norm = normOf(tf, gradient);
  const stats = tf.stack([value, ...Object.values(kept), norm]);
  if (statNames.length === 0) statNames.push('loss', ...Object.keys(kept), 'gradNorm');
  for (const stat of Object.values(kept)) stat.dispose();
  if (nonFinite !== 'clip') return { stats, gradient: clipToNorm(tf, gradient, norm, maxGradNorm) };
  const finite = keepFinite(tf, gradient, stats);
  return { stats, gradient: clipToNorm(tf, finite, normOf(tf, finite), maxGradNorm) };
}

const normOf = (tf: TensorFlow, gradient: Tensor) => tf.sqrt(tf.sum(tf.square(gradient))) as Scalar;

function clipToNorm(tf: TensorFlow, gradient: Tensor, norm: Scalar, maxGradNorm: number | null): Tensor {
  if (maxGradNorm === null) return gradient;
  return tf.mul(gradient, tf.minimum(tf.div(maxGradNorm, tf.add(norm, CLIP_EPSILON)), 1));
}

/** The gradient as it is where all statistics are finite; else NaN becomes 0, everything else at most +-1e6. */
function keepFinite(tf: TensorFlow, gradient: Tensor, stats: Tensor): Tensor {
  const areFinite = tf.all(tf.isFinite(stats)); // [] bool
  const numbers = tf.where(tf.isNaN(gradient), tf.zerosLike(gradient), gradient);
  return tf.where(areFinite, gradient, tf.clipByValue(numbers, -GRADIENT_BOUND, GRADIENT_BOUND));
}

/**
 * x' = clip((x - mean) * inverseStd, +-clipObservation), then the network's shape. Pixels are scaled by the statistics too:
 * an image policy always has them (mean 0, inverseStd 1 / high when nothing is normalised).
 */
export function prepareObservations(
  tf: TensorFlow,
  spec: ActingSpec,
  raw: Tensor, // [B, obsSize]
  statistics: StatisticsTensors | null,
): Tensor {
  let x = spec.observationDtype === 'uint8' ? tf.cast(raw, 'float32') : raw;
  if (statistics !== null) {
    const standardized = tf.mul(tf.sub(x, statistics.mean), statistics.inverseStd);
    x = tf.clipByValue(standardized, -spec.clipObservation, spec.clipObservation);
  }
  return spec.observationShape.length === 1 ? x : tf.reshape(x, [-1, ...spec.observationShape]);
}

/** (a - mean) / (std + 1e-8), population standard deviation. */
function standardize(tf: TensorFlow, advantages: Tensor): Tensor {
  const centered = tf.sub(advantages, tf.mean(advantages));
  return tf.div(centered, tf.add(tf.sqrt(tf.mean(tf.square(centered))), ADVANTAGE_EPSILON));
}
