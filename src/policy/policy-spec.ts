/**
 * What a policy is, as plain JSON: it crosses threads, lies in checkpoints, and every engine builds its network from it.
 *
 *     observation -> normalise -> network -> distribution parameters (P numbers) and value (1 number)
 */
import type { JsonObject } from '../json.ts';
import type { DeterministicTanhSpec } from './distributions/deterministic-tanh.ts';
import {
  type EpsilonGreedySpec,
  epsilonGreedyNoiseSize,
  epsilonGreedyOutputSize,
} from './distributions/epsilon-greedy.ts';
import type { SquashedGaussianSpec } from './distributions/squashed-gaussian.ts';
import type { SquashedGsdeSpec } from './distributions/squashed-gsde.ts';

/**
 * elu: x > 0 ? x : e^x - 1. silu: x sigmoid(x). gelu: the tanh form, x/2 (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))).
 * leaky-relu: slope 0.01 for x <= 0. All engines use exactly these.
 */
export type Activation = 'tanh' | 'relu' | 'elu' | 'silu' | 'gelu' | 'leaky-relu' | 'sigmoid' | 'identity';

/** A multi-layer perceptron; `shared` = one trunk with both heads, else actor and critic are separate towers. */
export interface MlpSpec {
  readonly kind: 'mlp';
  readonly hiddenSizes: readonly number[];
  readonly activation: Activation;
  readonly shared: boolean;
  /** Hidden layers are normalised over their units before the activation (Ba et al. 2016); only where `actorOnly`. Absent = false. */
  readonly layerNorm?: boolean;
}

/** Recurrent cells among the hidden layers of an MLP, by default before all of them; both engines, acts with the kernels. */
export interface RecurrentSpec {
  readonly kind: 'recurrent';
  readonly cell: 'lstm' | 'gru';
  /** Units of each cell. */
  readonly size: number;
  /** Cells on top of each other, each on the hidden states of the one below; at most {@link MAX_RECURRENT_LAYERS}. Absent = 1. */
  readonly numLayers?: number;
  /** Of hidden layers before the cells, which read what these make of the observation; they are the tower's first. Absent = none. */
  readonly sizesBefore?: readonly number[];
  /** Of the layers between cells and heads; may be none. */
  readonly hiddenSizes: readonly number[];
  readonly activation: Activation;
  /** One trunk, cells included, with both heads; else actor and critic have theirs. */
  readonly shared: boolean;
  /** As an MLP's, of the layers behind the cells. */
  readonly layerNorm?: boolean;
}

export const MAX_RECURRENT_LAYERS = 8;
/**
 * Attention over a window of past steps (a gated transformer, tensor-attention.ts) on the normalised observation, then the hidden layers and heads of an
 * MLP. Learns on the TensorFlow engine; acts in plain TypeScript, wherever rows are.
 */
export interface AttentionSpec {
  readonly kind: 'attention';
  /** Width of the blocks; `numHeads` divides it. */
  readonly size: number;
  readonly numHeads: number;
  /** Past steps of the episode that a step sees, besides itself. */
  readonly window: number;
  readonly numBlocks: number;
  /** Of the layers between blocks and heads; may be none. */
  readonly hiddenSizes: readonly number[];
  readonly activation: Activation;
  /** One transformer and trunk with both heads; else actor and critic have one each. */
  readonly shared: boolean;
}

/** A convolutional trunk shared by both heads; TensorFlow engine, central inference. */
export interface ConvSpec {
  readonly kind: 'conv';
  /** [filters, kernelSize, stride] per layer, valid padding, relu. */
  readonly layers: readonly (readonly [number, number, number])[];
  readonly hiddenSizes: readonly number[];
  readonly activation: Activation;
}

/** A user's own network in tfjs, by module URL; TensorFlow engine, central inference. */
export interface CustomSpec {
  readonly kind: 'custom';
  readonly module: string;
  readonly export: string;
  readonly options: JsonObject;
}

export type NetworkSpec = MlpSpec | RecurrentSpec | AttentionSpec | ConvSpec | CustomSpec;

/**
 * An action distribution with a log-probability; P = number of distribution parameters that the network gives per row, A = action elements.
 *
 * - `categorical`: `sizes.length` independent categoricals (1 = Discrete, more = MultiDiscrete). P = sum(sizes) logits,
 *   A = sizes.length, int32. Action masks lie over the logits: a forbidden one is set to -1e8 before the softmax.
 * - `bernoulli`: P = A = size logits, int32 0/1.
 * - `gaussian`: P = A = size means, float32; log standard deviations are `logStd` [A], free parameters. With `squash`
 *   the stored action is u before tanh, and logProb has the tanh correction,
 *   - sum log(1 - tanh(u)^2) with log(1 - tanh(u)^2) = 2 (log 2 - u - softplus(-2u)) (the range's scale is left out); the environment gets
 *   low + (tanh(u) + 1) / 2 * (high - low). Without it the stored action is unclipped and the environment gets it clipped.
 * - `gsde`: as gaussian, with state-dependent exploration (Raffin et al. 2021, arXiv:2005.05719): noise = latent * eps, eps
 *   [H, A] ~ N(0, exp(logStd [H, A])) drawn anew every `sampleFrequency` steps of an episode (-1: once an episode);
 *   variance_a = sum_h latent_h^2 exp(logStd_ha)^2 + 1e-6; latent = the actor's last hidden layer, detached; H = its size.
 * - `product`: several of the first three side by side; P and A are sums, float32.
 */
export type DistributionSpec =
  | ProductHead
  | ProductSpec
  | {
      readonly kind: 'gsde';
      readonly size: number;
      readonly squash: boolean;
      readonly sampleFrequency: number;
      readonly low: readonly number[];
      readonly high: readonly number[];
    };

/** A distribution that may also be one head among several. */
export type ProductHead =
  | { readonly kind: 'categorical'; readonly sizes: readonly number[] }
  | { readonly kind: 'bernoulli'; readonly size: number }
  | {
      readonly kind: 'gaussian';
      readonly size: number;
      readonly squash: boolean;
      readonly low: readonly number[];
      readonly high: readonly number[];
    };

/** Actions of mixed kinds: independent heads side by side; distributions/product.ts. */
export interface ProductSpec {
  readonly kind: 'product';
  readonly heads: readonly ProductHead[];
}

/** One head is a product of one. */
export function asProduct(distribution: ProductHead | ProductSpec): ProductSpec {
  return distribution.kind === 'product' ? distribution : { kind: 'product', heads: [distribution] };
}

/** How a policy acts whose actions nobody asks the log-probability of; a file a kind in distributions/. */
export type BehaviourSpec =
  | EpsilonGreedySpec
  | SquashedGaussianSpec
  | DeterministicTanhSpec
  | SquashedGsdeSpec;

export type ActingDistribution = DistributionSpec | BehaviourSpec;

/** What everything that acts needs to know of a policy. */
export interface ActingSpec {
  readonly observationSize: number;
  readonly observationDtype: 'float32' | 'uint8';
  /** [height, width, channels] for images, else [observationSize]. */
  readonly observationShape: readonly number[];
  /** 0 = no masks; else the number of logits (categorical only). */
  readonly actionMaskSize: number;
  readonly network: NetworkSpec;
  readonly distribution: ActingDistribution;
  /**
   * True = the network has no value head: its parameters are those of `actor/...` (and `logStd`) alone, as they lie in a model whose
   * acting network this is. Absent = false.
   */
  readonly actorOnly?: boolean;
  /** True = a critic by itself, which acts for nobody: its parameters are those of `critic/...` alone. Absent = false. */
  readonly criticOnly?: boolean;
  /**
   * x' = clip((x - mean) * inverseStd, +-clipObservation) with the published statistics. Running ones when the config says
   * so; uint8 observations always have this true, with mean 0 and inverseStd 1 / high when they are only scaled.
   */
  readonly normalizeObservations: boolean;
  readonly clipObservation: number;
  readonly initialization: {
    readonly orthogonal: boolean;
    /** Gains of hidden layers, policy head, value head; biases 0. Defaults sqrt(2), 0.01, 1. */
    readonly hiddenGain: number;
    readonly policyGain: number;
    readonly valueGain: number;
    readonly logStd: number;
    /** Of recurrent cells; absent = 0. */
    readonly forgetBias?: number;
    /** b_g of attention's gates; absent = 2. */
    readonly gateBias?: number;
  };
}

/** A policy that on-policy learners improve: its actions have a log-probability. */
export type PolicySpec = ActingSpec & { readonly distribution: DistributionSpec };

/** Whether the SIMD kernels run the network, for acting and for learning. */
export function isKernelNetwork(network: NetworkSpec): network is MlpSpec | RecurrentSpec {
  return network.kind === 'mlp' || network.kind === 'recurrent';
}

/** Whether runners act themselves: by the kernels, or in plain TypeScript. The others need central inference. */
export function actsInRunners(network: NetworkSpec): network is MlpSpec | RecurrentSpec | AttentionSpec {
  return isKernelNetwork(network) || network.kind === 'attention';
}

/** Whether actions are sampled here, in TypeScript, from the network's outputs; the kernels sample the others. */
export function isBehaviour(distribution: ActingDistribution): distribution is BehaviourSpec {
  return BEHAVIOURS[distribution.kind as BehaviourSpec['kind']] === true;
}

const BEHAVIOURS: Readonly<Record<BehaviourSpec['kind'], true>> = {
  'epsilon-greedy': true,
  'squashed-gaussian': true,
  'deterministic-tanh': true,
  'squashed-gsde': true,
};

/** Number of distribution parameters per row, P. */
export function distributionSize(distribution: ActingDistribution): number {
  switch (distribution.kind) {
    case 'categorical':
      return distribution.sizes.reduce((sum, size) => sum + size, 0);
    case 'epsilon-greedy':
      return epsilonGreedyOutputSize(distribution);
    case 'squashed-gaussian':
      return 2 * distribution.size;
    case 'product':
      return sumOver(distribution, distributionSize);
    default:
      return distribution.size;
  }
}

function sumOver({ heads }: ProductSpec, sizeOf: (head: ProductHead) => number): number {
  return heads.reduce((sum, head) => sum + sizeOf(head), 0);
}

/** Elements of one stored action, A. */
export function actionSize(distribution: ActingDistribution): number {
  if (distribution.kind === 'product') return sumOver(distribution, actionSize);
  return 'sizes' in distribution ? distribution.sizes.length : distribution.size;
}

/** Dtype of stored actions. */
export function actionDtype(distribution: ActingDistribution): 'int32' | 'float32' {
  return 'sizes' in distribution || distribution.kind === 'bernoulli' ? 'int32' : 'float32';
}

/** Free log deviations that depend on nothing: `logStd` [A of the continuous elements]; 0 = the distribution has none such. */
export function freeLogStdSize(distribution: ActingDistribution): number {
  if (distribution.kind === 'product') return sumOver(distribution, freeLogStdSize);
  return distribution.kind === 'gaussian' ? distribution.size : 0;
}

/** Alternatives of each element of a stored action, 2 for a bit; 0 = a number. */
export function alternativesOf(distribution: ActingDistribution): readonly number[] {
  if (distribution.kind === 'product') return distribution.heads.flatMap(alternativesOf);
  if ('sizes' in distribution) return distribution.sizes;
  return new Array<number>(distribution.size).fill(distribution.kind === 'bernoulli' ? 2 : 0);
}

/** Width of the actor's last hidden layer (H of gSDE); without hidden layers the cell's, or the observation's size. */
export function latentSize(spec: ActingSpec): number {
  if (spec.network.kind === 'custom') return 0;
  return spec.network.hiddenSizes.at(-1) ?? firstLayerInputs(spec);
}

/** What the first hidden layer (or the head) reads: the observation, or what the topmost cell or block gives. */
export function firstLayerInputs({ network, observationSize }: ActingSpec): number {
  return 'size' in network ? network.size : observationSize;
}

/**
 * Random numbers that one row needs for one action: uniforms in [0, 1) for discrete actions, standard normals for
 * continuous ones. For gsde they are the eps matrix [H, A], refreshed as its `sampleFrequency` says. Those of {@link BehaviourSpec}
 * with continuous actions have A uniforms more at the end, for random actions before learning starts.
 */
export function noiseSize(spec: ActingSpec): number {
  const { distribution } = spec;
  switch (distribution.kind) {
    case 'gsde':
      return latentSize(spec) * distribution.size;
    case 'squashed-gsde':
      return (latentSize(spec) + 1) * distribution.size;
    case 'epsilon-greedy':
      return epsilonGreedyNoiseSize(distribution);
    case 'squashed-gaussian':
    case 'deterministic-tanh':
      return 2 * distribution.size;
    default:
      return actionSize(distribution);
  }
}
