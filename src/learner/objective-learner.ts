/** A learner that runs an objective: what a loop with a replay buffer sees of an engine. */
import type { ModelLayout, ModelSpec } from '../policy/networks/model.ts';
import type { ObservationStatistics } from '../weights/observation-statistics.ts';
import type { ObjectiveSpec } from './objective.ts';

/** A batch to be filled: one array a column, by name. Owned by whoever fills it while `fill` runs, by the learner afterwards. */
export interface ObjectiveBatch {
  readonly numRows: number; // B
  readonly columns: Readonly<Record<string, Float32Array | Int32Array | Uint8Array>>; // [B, size] each
  /** Factors of the objective's `noises`, by name; filled as the columns are. */
  readonly noises: Readonly<Record<string, Float32Array>>;
  /** What the objective wrote for each row in the update before; f32 [B] each. */
  readonly rowOutputs: Readonly<Record<string, Float32Array>>;
}

export interface ObjectiveUpdate {
  /** Updates to make, one batch each. */
  readonly numUpdates: number;
  /** Rows of each batch; default (and at most) what the learner was made for. */
  readonly batchSize?: number;
  /** Fills the batch of update k = 0 .. numUpdates - 1; called in the main thread, in order, after update k - 1 is done. */
  readonly fill: (k: number, batch: ObjectiveBatch) => void;
  /** Names of the objective's steps that run, of those that are due; absent = all of them. */
  readonly steps?: readonly string[];
  /** Looks at what update k left in `rowOutputs`: new priorities. */
  readonly after?: (k: number, batch: ObjectiveBatch) => void;
  /** A finite number for each of the objective's scalars. */
  readonly scalars: Readonly<Record<string, number>>;
  /** null = inputs are not normalised. */
  readonly observationStatistics: ObservationStatistics | null;
  readonly nonFinite: 'stop' | 'skip' | 'clip';
}

export interface ObjectiveStats {
  /** Means over the updates whose step ran and was finite: the objective's statistics, and `gradNorm/<group>`. */
  readonly means: Readonly<Record<string, number>>;
  readonly numUpdates: number;
  /** Steps left out, or taken with a clipped gradient, because something was not finite. */
  readonly numSkipped: number;
  readonly numClipped: number;
}

/** Adam's state of every group; plain data for checkpoints. */
export interface ObjectiveOptimizerState {
  /** Updates so far: what `every` counts. */
  readonly numUpdates: number;
  /** Adam's step counter by group. */
  readonly steps: Readonly<Record<string, number>>;
  readonly m: Float32Array; // [trainedSize] f32
  readonly v: Float32Array; // [trainedSize] f32
}

/**
 * Holds a model's parameters and improves them.
 *
 * Thread: main; `update` may use helper threads. Between calls nobody else touches the parameters. Arrays given are copies.
 */
export interface ObjectiveLearner {
  readonly engine: 'simd' | 'tensorflow';
  /** What runs underneath, for people. */
  readonly backend: string;
  readonly model: ModelSpec;
  readonly objective: ObjectiveSpec;
  readonly layout: ModelLayout;
  /** f32 [layout.size]. */
  readParameters(out?: Float32Array): Float32Array;
  /** f32: one network's part, for acting. */
  readNetwork(name: string, out?: Float32Array): Float32Array;
  writeParameters(parameters: Float32Array): void;
  readOptimizerState(): ObjectiveOptimizerState;
  writeOptimizerState(state: ObjectiveOptimizerState): void;
  /** Every target: theta' += tau (theta - theta'); 1 copies. */
  blendTargets(tau: number): void;
  /**
   * @throws EngineError `ENGINE_NON_FINITE` naming quantity, step and update when `nonFinite` is `stop`; the step is not applied.
   * `ENGINE_SCALAR` for a scalar that is missing or not finite.
   */
  update(update: ObjectiveUpdate): Promise<ObjectiveStats>;
  dispose(): Promise<void>;
}
