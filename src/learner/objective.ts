/**
 * The seam between an algorithm and an engine: what is learnt, in steps over named networks.
 *
 * An objective is stated twice: in tfjs operations (`loss.ts` of the algorithm, the readable reference, differentiated by tfjs) and in
 * closed form at the networks' outputs (`gradient.ts`, what the kernels run). Both have the same columns, groups and steps, and a test
 * holds the two together.
 */
import type { JsonObject } from '../json.ts';
import type { ModelSpec } from '../policy/networks/model.ts';

/** A column of a batch of B rows: [B, size]. */
export interface BatchColumn {
  readonly name: string;
  readonly dtype: 'float32' | 'int32' | 'uint8';
  /** Elements per row. */
  readonly size: number;
}

/** Networks, and free parameters, that one optimizer steps: a norm to clip of their own, Adam's state of their own. */
export interface OptimizerGroup {
  readonly name: string;
  /** Names of networks or free parameters; neighbours in the model's vector. */
  readonly networks: readonly string[];
  /** The scalar that is its learning rate. */
  readonly learningRate: string;
  /** Bound of the global norm of the group's gradient; null = none. */
  readonly maxGradNorm: number | null;
  readonly adamBeta1: number;
  readonly adamBeta2: number;
  readonly adamEpsilon: number;
  /** Decoupled (AdamW, Loshchilov and Hutter 2019): p -= learningRate * weightDecay * p. 0 = plain Adam. */
  readonly weightDecay: number;
}

/** theta' += tau (theta - theta'). */
export interface TargetBlend {
  readonly target: string;
  /** The scalar that is tau. */
  readonly tau: string;
}

/** Forward and backward through some networks, then an optimizer step of `groups`, then the blends. */
export interface ObjectiveStep {
  readonly name: string;
  /** Groups that it steps; each belongs to one step. None = it changes nothing: it is run for its row outputs. */
  readonly groups: readonly string[];
  /** Runs in every `every`-th update: in update u = 1, 2, ... where u mod every is 0. TD3's policy delay. */
  readonly every: number;
  readonly blends: readonly TargetBlend[];
  /** Means over the batch that this step reports, by name; no two steps share one. */
  readonly stats: readonly string[];
}

/** Noise on the parameters of a network or target (`parameter-noise.ts`): drawn for an update, the same for all rows of its batch. */
export interface NoiseDraw {
  readonly name: string;
  readonly network: string;
}

/** What both forms of an objective have in common; plain JSON. */
export interface ObjectiveSpec {
  /** What the batch holds, in order. A column that a network reads is of that input's dtype and size. */
  readonly columns: readonly BatchColumn[];
  /** Draws of parameter noise that passes name; the loop fills their factors with every batch. One step only. Absent = none. */
  readonly noises?: readonly NoiseDraw[];
  /** f32 [B] each, written by the objective's first step, for the loop to read: `tdErrors`. */
  readonly rowOutputs: readonly string[];
  readonly groups: readonly OptimizerGroup[];
  readonly steps: readonly ObjectiveStep[];
  /** Numbers that may differ from update to update, learning rates and taus included. */
  readonly scalars: readonly string[];
  /** Rows are sequences, for networks with a recurrent cell. Absent = a row stands for itself. SIMD engine only. */
  readonly sequences?: SequenceRows;
}

/**
 * A batch of sequences of U steps, P of them in a block, and a whole number of blocks: row `(b * U + u) * P + p` is step u of sequence
 * `b * P + p`. Columns by these names say where they begin: `states` f32 [S], of whose rows those of step 0 are read, and `continues` i32,
 * 0 where an episode begins.
 */
export interface SequenceRows {
  /** U. */
  readonly length: number;
  /** First steps of each, which only warm its state: no gradient flows through them. Below U. */
  readonly burnIn: number;
  /** P, a multiple of four. */
  readonly perBlock: number;
}

/** Columns that every objective over sequences has. @param stateSize S: hidden states, behind them an LSTM's cell states. */
export function sequenceColumns(stateSize: number): readonly BatchColumn[] {
  return [
    { name: 'states', dtype: 'float32', size: stateSize },
    { name: 'continues', dtype: 'int32', size: 1 },
  ];
}

/** All statistics, step by step: the order of {@link RowSpace.stats}. */
export function statNames({ steps }: ObjectiveSpec): readonly string[] {
  return steps.flatMap(({ stats }) => stats);
}

/** Rows of the largest block that a closed form is shown at once. */
export const MAX_BLOCK_ROWS = 64;

/** Rows of the largest block: sequences are never cut, so theirs may be larger. Arrays of `[MAX_BLOCK_ROWS, ...]` below are of so many then. */
export function maxBlockRows({ sequences }: Pick<ObjectiveSpec, 'sequences'>): number {
  return sequences === undefined ? MAX_BLOCK_ROWS : sequences.length * sequences.perBlock;
}

export interface PassOptions {
  /** A network or a target. */
  readonly network: string;
  /** One for each of the network's inputs: a batch column, or a buffer of this thread's, filled before the pass runs. */
  readonly inputs: readonly (string | Float32Array)[];
  /** What flows back: nothing, the parameters' gradient (into the step's groups), the inputs', or both. Default `none`. */
  readonly gradient?: 'none' | 'parameters' | 'inputs' | 'both';
  /**
   * One of the objective's `noises`, of this network: it runs on perturbed parameters, and its gradient goes to means and deviations. At
   * most one pass through a network has a gradient then. Absent = the parameters as they are.
   */
  readonly noise?: string;
  /**
   * Where the network's trunk has dropout: number of the draw, from the batch's column `dropoutSeeds`; passes with one number drop alike.
   * Absent = nothing is dropped.
   */
  readonly dropout?: number;
  /** What the network's cell begins a sequence with: the batch's `states`, or zeros, from which the burn-in finds a state. Default `stored`. */
  readonly begins?: 'stored' | 'zero';
}

/** Gradient of one input of a pass: row r begins at `offset + r * stride`. */
export interface InputGradient {
  readonly values: Float32Array;
  readonly offset: number;
  readonly stride: number;
}

/** One way through a network, with activations of its own. Views belong to the thread and stay the same. */
export interface Pass {
  /** [MAX_BLOCK_ROWS, outputs] f32, row stride `outputs`; after `forward`. */
  readonly outputs: Float32Array;
  /** Likewise; write all of the block's rows before `backward`. Empty without a gradient. */
  readonly gradOutputs: Float32Array;
  /** The last hidden layer (f32, row r at r * latentStride), after `forward`. */
  readonly latent: Float32Array;
  readonly latentStride: number;
  /** Of the network's k-th input, after `backward`; only where `gradient` is `inputs` or `both`, and of nothing that a cell reads. */
  inputGradient(k: number): InputGradient;
  /** Inputs are packed by the first pass of a block that has the same ones. */
  forward(numRows: number): void;
  /** Consumes gradOutputs (it may be overwritten). After `forward` of the same block. */
  backward(numRows: number): void;
}

/**
 * A tanh-squashed Gaussian with a deviation of its own in every row, over a pass's 2 A outputs (means, then log deviations):
 *
 *     u = mean + std e,   a = tanh(u),   std = exp(clip(log deviation, -20, 2))
 *     log pi(a) = sum -e^2 / 2 - log std - log(2 pi) / 2 - log(1 - a^2)
 *
 * In the engine's kernels, float32. log(1 - a^2) and 1 - a^2 follow from exp(-2 |u|), so that neither cancels where a rounds to a
 * bound. Source: Haarnoja et al. 2018, arXiv:1812.05905, appendix C; the bounds are Stable-Baselines3's. Views belong to the thread
 * and stay the same.
 */
export interface SquashedRows {
  /** [MAX_BLOCK_ROWS, A] f32; after `sample`. May be an input of passes. */
  readonly actions: Float32Array;
  /** f32 [MAX_BLOCK_ROWS]; after `sample`. */
  readonly logProbs: Float32Array;
  /** std, [MAX_BLOCK_ROWS, A] f32; after `sample`. */
  readonly deviations: Float32Array;
  /** dL/da, [MAX_BLOCK_ROWS, A] f32; write all of the block's rows before `flowBack`. */
  readonly byActions: Float32Array;
  /** After the pass's `forward`. */
  sample(numRows: number): void;
  /**
   * Noise held fixed: writes the pass's gradOutputs from `byActions` and `byLogProb` = dL/dlog pi of each row. Nothing flows to a
   * log deviation that is clipped. After `sample` of the same block; the pass must have a gradient.
   */
  flowBack(numRows: number, byLogProb: number): void;
}

/** Outputs or gradOutputs of passes, or buffers; rows dense. */
export interface QuantileLossRows {
  /** theta, [MAX_BLOCK_ROWS, N] f32. */
  readonly predicted: Float32Array;
  /** Out, [MAX_BLOCK_ROWS, N] f32. */
  readonly gradient: Float32Array;
  /** y, [MAX_BLOCK_ROWS, numTargets or more] f32. */
  readonly targets: Float32Array;
  /** The first of a row that are compared. */
  readonly numTargets: number;
}

/**
 * The quantile Huber loss (Dabney et al. 2018, arXiv:1710.10044) with its corner at 1, in the engine's kernels, float32:
 *
 *     loss = mean over i, j of |tau_i - 1(u < 0)| Huber(u),   u = y_j - theta_i,   tau_i = (i + 1/2) / N
 *
 * QR-DQN's sum over predicted quantiles is N times that, TQC's mean is that.
 */
export interface QuantileLoss {
  /** f32 [MAX_BLOCK_ROWS], after `compare`. */
  readonly losses: Float32Array;
  /** Writes losses, and `scale` times the gradient. */
  compare(numRows: number, scale: number): void;
}

/** Outputs of passes, or buffers: [MAX_BLOCK_ROWS, k * size] f32, softmax over each `size` neighbours. */
export interface SoftmaxRows {
  readonly values: Float32Array;
  /** Out; may be `values` itself. */
  readonly probabilities: Float32Array;
  readonly size: number;
}

/** In the engine's kernels, float32. */
export interface Softmax {
  /** log of the sum of e^x, [MAX_BLOCK_ROWS, k] f32; after `run`. A value's log-probability is value - logSum. */
  readonly logSums: Float32Array;
  run(numRows: number): void;
}

/** Free parameters as a step sees them. */
export interface FreeView {
  readonly values: Float32Array;
  /** f64, as values: add each row's gradient, already divided by the batch's rows. The engine clears it before every block. */
  readonly gradient: Float64Array;
}

/** What one thread has for its blocks of rows; everything is made once, in `open`. */
export interface RowSpace {
  /** Of the objective; null = rows stand for themselves. */
  readonly sequences: SequenceRows | null;
  /** A batch column's rows of the block, dense [MAX_BLOCK_ROWS, size], raw; the same view for every block. */
  column(name: string): Float32Array;
  integers(name: string): Int32Array;
  bytes(name: string): Uint8Array;
  /** f32 [MAX_BLOCK_ROWS]: what the first step writes for the loop. */
  rowOutput(name: string): Float32Array;
  /** The running update's value of one of the objective's scalars, f32; ask it in the step. @throws TypeError for another name. */
  scalar(name: string): () => number;
  /** f64, in the order of {@link statNames}: add the sum over the block's rows; cleared before every block. */
  readonly stats: Float64Array;
  free(name: string): FreeView;
  /** f32 [MAX_BLOCK_ROWS, size], this thread's own; may be an input of passes. */
  buffer(size: number): Float32Array;
  pass(options: PassOptions): Pass;
  /** @param noise standard normals, a column of A elements as `column` gave it. */
  squashedGaussian(policy: Pass, noise: Float32Array): SquashedRows;
  quantileLoss(rows: QuantileLossRows): QuantileLoss;
  softmax(rows: SoftmaxRows): Softmax;
}

/**
 * One step for one block of R rows of a batch of B: forward, gradients at outputs (of the MEAN over the batch: each row's divided by
 * B), backward. A row's numbers must not depend on the rows beside it.
 */
export type RunStep = (numRows: number, batchRows: number) => void;

/** The closed form: makes its passes and buffers in a thread, and gives one function for each step, in the spec's order. */
export type OpenObjective = (rows: RowSpace) => readonly RunStep[];

/** What the module at {@link ClosedFormSource.module} exports. */
export type CreateClosedForm = (model: ModelSpec, options: JsonObject) => OpenObjective;

/** A function cannot be posted to a thread: the module that exports a {@link CreateClosedForm} is named by URL. */
export interface ClosedFormSource {
  readonly module: string;
  readonly export: string;
  readonly options: JsonObject;
}
