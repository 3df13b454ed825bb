/** What a checkpoint holds, independent of how it is stored. */
import type { JsonObject } from '../json.ts';

export type TensorDtype = 'float32' | 'float64' | 'int32' | 'uint8';

export interface NamedTensor {
  readonly dtype: TensorDtype;
  readonly shape: readonly number[];
  readonly data: Float32Array | Float64Array | Int32Array | Uint8Array;
}

/** Gives a segment's tensors: out of memory, or read from the disk and checked. */
export type ReadSegment = () => Promise<Readonly<Record<string, NamedTensor>>>;

/** A checkpoint's files, independent of how they are stored. Paths are relative with forward slashes. */
export interface CheckpointContent {
  /** Manifest fields: algorithm, environment id, policy spec, counters (`iteration`, `numEnvSteps`), versions. */
  readonly description: JsonObject;
  /** e.g. `policies/default/weights.safetensors`, `policies/default/optimizer.safetensors`. */
  readonly tensors: Readonly<Record<string, Readonly<Record<string, NamedTensor>>>>;
  /** e.g. `state.json` (counters, random streams, statistics), `environments.json`, `config.json`. */
  readonly json: Readonly<Record<string, JsonObject>>;
  /**
   * Large parts that never change once they are full (of a replay buffer), by name: `replay-000012-<digest>`. Equal names mean equal
   * contents, so the checkpoints of a run share one file. null for a segment that the one who asked for the state has stored.
   */
  readonly segments?: Readonly<Record<string, ReadSegment | null>>;
}
