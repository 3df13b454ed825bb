/**
 * The seam between an algorithm and the SIMD engine: the gradient of the loss at the network's outputs.
 *
 * The engine runs the towers forward, calls these functions for each chunk of rows (in any thread), and runs the
 * towers backward from what they wrote. The same loss stands in tfjs operations in the algorithm's `loss.ts`.
 */
import type { JsonObject } from '../json.ts';
import type { PolicySpec } from '../policy/policy-spec.ts';
import type { OpenCategorical } from '../simd/native-categorical.ts';

/**
 * One chunk of minibatch rows, gathered. R rows of a minibatch of `minibatchRows`; every gradient is of the MEAN over
 * the minibatch, so each row's contribution is divided by `minibatchRows`. Views over the arena, valid during the call, and
 * for MAX_CHUNK_ROWS rows: what lies beyond R is stale. With separate towers the policy and the value of a row are computed by
 * different work items: `policy` may read distributionParameters, latent, logStd, actions, masks, oldLogProbs and advantages,
 * `value` values, oldValues and returns.
 */
export interface GradientChunk {
  readonly numRows: number; // R
  readonly minibatchRows: number;
  readonly distributionParameters: Float32Array; // [R, P] f32 (row stride P)
  readonly values: Float32Array; // [R] f32
  readonly latent: Float32Array; // [R, latentStride] f32: actor's last hidden layer (gsde only, else empty)
  readonly latentStride: number;
  readonly logStd: Float32Array; // [A] or [H, A] f32, empty when the distribution has none
  readonly actions: Float32Array | Int32Array; // [R, A]
  readonly masks: Uint8Array; // [R, maskSize] u8, empty without masks
  readonly oldLogProbs: Float32Array; // [R] f32
  readonly oldValues: Float32Array; // [R] f32
  readonly advantages: Float32Array; // [R] f32, already normalised when the plan says so
  readonly returns: Float32Array; // [R] f32
  /** In the order of `scalarNames`. */
  readonly scalars: Float32Array;
  readonly gradDistributionParameters: Float32Array; // [R, P] f32, out
  readonly gradValues: Float32Array; // [R] f32, out
  readonly gradLogStd: Float32Array; // as logStd, out: the sum over this chunk, overwritten
  /** Categoricals by machine code, which `createDistributionGradient` asks for where it is; absent = there is none. The bits are the same. */
  readonly openCategorical?: OpenCategorical | undefined;
  /** f64 [statNames.length], out: sums over this chunk's rows, overwritten; the engine adds chunks in order and divides by minibatchRows. */
  readonly stats: Float64Array;
}

/** Rows of the largest chunk. */
export const MAX_CHUNK_ROWS = 64;

/**
 * Derivatives of a distribution, for losses that are functions of log-probability and entropy. Rows are those of the chunk; arrays
 * f64 [numRows or longer].
 */
export interface DistributionGradient {
  /** Writes logProbs and entropies; remembers what `backward` needs. Squashed: entropy = -logProb, the estimate at the taken action. */
  evaluate(chunk: GradientChunk, logProbs: Float64Array, entropies: Float64Array): void;
  /** Of the chunk evaluated last: overwrites gradDistributionParameters and gradLogStd with the weighted derivatives. */
  backward(chunk: GradientChunk, byLogProb: Float64Array, byEntropy: Float64Array): void;
}

/** What the module at `OutputGradientSource.module` makes from `create(spec, options)`. */
export interface OutputGradient {
  /** Names of plan scalars that the functions read, in order. */
  readonly scalarNames: readonly string[];
  /** Statistics, averaged over the minibatch. Policy statistics are written by `policy`, value ones by `value`. */
  readonly statNames: readonly string[];
  /** Writes gradDistributionParameters, gradLogStd and the policy's statistics (the others are left alone). */
  policy(chunk: GradientChunk): void;
  /** Writes gradValues and the value's statistics. */
  value(chunk: GradientChunk): void;
}

/** A function cannot be posted to a thread: the module that exports `create` is named by URL. */
export interface OutputGradientSource {
  readonly module: string;
  readonly export: string;
  readonly options: JsonObject;
}

export type CreateOutputGradient = (spec: PolicySpec, options: JsonObject) => OutputGradient;
