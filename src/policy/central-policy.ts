/** How a learner acts for rows, where networks run in the learner's engine. */

/**
 * Acts for rows in the learner's own thread (central inference): for networks that only the TensorFlow engine covers.
 * Same meaning of arguments as the kernels' policy, with plain arrays.
 */
export interface CentralPolicy {
  /** observations [B, obsSize] raw; masks [B, maskSize] or null; noise [B, noiseSize]; writes actions [B, A], logProbs [B], values [B]. */
  act(call: CentralActCall): Promise<void>;
  /** Values alone, for final and bootstrap observations. */
  values(observations: Float32Array | Uint8Array, numRows: number, out: Float32Array): Promise<void>;
}

export interface CentralActCall {
  readonly numRows: number;
  readonly observations: Float32Array | Uint8Array;
  readonly masks: Uint8Array | null;
  readonly noise: Float32Array;
  readonly deterministic: boolean;
  readonly actions: Float32Array | Int32Array;
  readonly logProbs: Float32Array;
  readonly values: Float32Array;
}
