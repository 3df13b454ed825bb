import { flattenObservationSpace } from '../../src/env/flatten-space.ts';
import type { StepRows, VectorEnv } from '../../src/env/vector-env.ts';

/** Dense rows for a vector environment, filled with values that look wrong. */
export function makeRows(env: VectorEnv): StepRows {
  const { size, dtype } = flattenObservationSpace(env.observationSpace);
  const make = () =>
    dtype === 'uint8'
      ? new Uint8Array(env.numRows * size).fill(77)
      : new Float32Array(env.numRows * size).fill(-777);
  return {
    observations: make(), // [numRows, obsSize]
    observationOffset: 0,
    observationStride: size,
    rewards: new Float32Array(env.numRows).fill(-777), // [numRows] f32
    terminated: new Uint8Array(env.numRows).fill(7), // [numRows] u8
    truncated: new Uint8Array(env.numRows).fill(7), // [numRows] u8
    scalarOffset: 0,
    scalarStride: 1,
    actionMasks: env.actionMaskSize > 0 ? new Uint8Array(env.numRows * env.actionMaskSize).fill(7) : null,
    maskOffset: 0,
    maskStride: env.actionMaskSize,
    finalObservations: make(), // [numRows, obsSize]
    onMetric: null,
  };
}
