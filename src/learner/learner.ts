/** The learner: what an algorithm sees of an engine. */
import type { RolloutViews } from '../experience/layout.ts';
import type { ObservationStatistics } from '../weights/observation-statistics.ts';
import type { ParameterLayout } from '../weights/parameter-layout.ts';

/**
 * One update: `numEpochs` passes over samples of a rollout in shuffled minibatches.
 *
 * Every epoch e has its own permutation `permutations[e * numSamples ... + numSamples)` of flat indices i = n * T + t, with
 * numSamples = permutations.length / numEpochs: all N * T, or the same fewer ones in every epoch (those of one policy among several agents);
 * minibatch k of an epoch takes `minibatchSize` of them in order, and the last one takes what is left. Of a recurrent policy they are
 * whole sequences, in the order that `createEpochOrder` writes.
 */
export interface UpdatePlan {
  readonly numEpochs: number;
  readonly minibatchSize: number;
  readonly permutations: Int32Array; // [numEpochs, numSamples] i32
  /** Named scalars of this update (schedules evaluated): `learningRate`, and those that the loss reads. */
  readonly scalars: Readonly<Record<string, number>>;
  /** Per-minibatch advantage normalisation: (a - mean) / (std + 1e-8), std = population standard deviation (divide by the number of rows). */
  readonly normalizeAdvantages: boolean;
  /**
   * Stop rule: after an epoch whose mean `approxKl` over its minibatches exceeds 1.5 * targetKl the remaining epochs
   * are skipped. null = never.
   */
  readonly targetKl: number | null;
  /** Frozen observation statistics under which the rollout was collected; null = no normalisation. */
  readonly observationStatistics: ObservationStatistics | null;
  /**
   * What to do where a statistic of the loss or the gradient norm is not finite: `stop` throws EngineError; `skip` leaves that
   * minibatch's step out; `clip` replaces each element g of its gradient by 0 where it is NaN, else by min(max(g, -1e6), 1e6), and
   * goes on as always (norm of that, clipping to the global norm, Adam).
   */
  readonly nonFinite: 'stop' | 'skip' | 'clip';
}

/** Bound of a gradient's elements under `nonFinite: clip`. */
export const GRADIENT_BOUND = 1e6;

/** Means over the minibatches that were run and finite, by name (`policyLoss`, `valueLoss`, `entropy`, `approxKl`, `clipFraction`, `gradNorm`, ...). */
export interface UpdateStats {
  readonly means: Readonly<Record<string, number>>;
  readonly numEpochs: number;
  readonly numMinibatches: number;
  /** Minibatches whose step was skipped because something was not finite. */
  readonly numSkipped: number;
  /** Minibatches whose gradient was clipped because something was not finite. */
  readonly numClipped: number;
}

/** Adam's moments, laid out as the parameters; plain data for checkpoints. */
export interface OptimizerState {
  readonly step: number;
  readonly m: Float32Array; // [parameters] f32
  readonly v: Float32Array; // [parameters] f32
}

/**
 * Holds the parameters and improves them.
 *
 * Thread: main. `update` may use helper threads; between calls nobody else touches the parameters. The arrays that
 * `parameters` and `optimizerState` give are copies made for the caller.
 */
export interface Learner {
  readonly engine: 'simd' | 'tensorflow';
  /** What runs underneath, for people: `relaxed SIMD, 2 threads`, `node-gpu (TensorFlow 2.21, CPU)`. */
  readonly backend: string;
  readonly layout: ParameterLayout;
  /** Copies the current parameters into `out` (or a new array). f32 [layout.size]. */
  readParameters(out?: Float32Array): Float32Array;
  writeParameters(parameters: Float32Array): void;
  readOptimizerState(): OptimizerState;
  writeOptimizerState(state: OptimizerState): void;
  /**
   * Runs the plan over the rollout, whose `advantages` and `returns` columns are filled. Owns the block set until it resolves.
   *
   * @throws EngineError `ENGINE_NON_FINITE` naming the quantity, epoch and minibatch, when `nonFinite` is `stop`.
   */
  update(rollout: RolloutViews, plan: UpdatePlan): Promise<UpdateStats>;
  dispose(): Promise<void>;
}
