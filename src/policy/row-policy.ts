/** How a rollout worker acts: a forward pass over rows that lie in the arena. Implemented by the SIMD kernels. */

/**
 * One vector step of acting. All `...Address` are byte addresses in the arena; strides are in ELEMENTS between
 * consecutive rows. Row r = 0 .. numRows - 1 reads and writes `address + r * stride * bytesPerElement`.
 */
export interface ActCall {
  numRows: number;
  /** Published weights: parameters, then observation mean and inverse std (see weights/weight-buffer.ts). */
  weightsAddress: number;
  observationAddress: number;
  observationStride: number;
  maskAddress: number; // u8; 0 = no masks
  maskStride: number;
  noiseAddress: number; // f32 [numRows, noiseSize], dense
  deterministic: boolean; // mode of the distribution instead of a sample; noise is not read
  actionAddress: number; // i32 or f32, A elements
  actionStride: number;
  logProbAddress: number; // f32; 0 = not wanted; behaviours have none
  valueAddress: number; // f32; 0 = not wanted (deterministic evaluation)
  scalarStride: number; // of logProbs and values
  /** f32 [numRows, recurrentStateSize], dense, four rows more to be read; moved on. Recurrent policies alone. */
  stateAddress?: number;
}

/** Values alone, for final and bootstrap observations. */
export interface ValuesCall {
  numRows: number;
  weightsAddress: number;
  observationAddress: number;
  observationStride: number;
  valueAddress: number;
  valueStride: number;
  maskAddress: number; // u8; 0 = no masks; read where the value is that of the best action
  maskStride: number;
  /** As in `ActCall`, but left as it is, unless `movesState`: then the critic's part of it goes on. */
  stateAddress?: number;
  movesState?: boolean;
}

/** One per thread: it owns scratch in the arena. Nothing allocates; a row's result does not depend on the rows beside it. */
export interface RowPolicy {
  act(call: ActCall): void;
  values(call: ValuesCall): void;
}
