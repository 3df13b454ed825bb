/** A small TQC and batches for it. */
import type { SacShape } from '../../../algorithms/sac/objective.ts';
import { type Columns, normals } from '../../reference/objective-fixture.ts';
import { SHAPE as SAC_SHAPE } from '../sac/sac-reference.ts';

export const SHAPE: SacShape = { ...SAC_SHAPE, criticOutputs: 5 };
export const FIXED: SacShape = {
  ...SHAPE,
  numCritics: 3,
  criticTrunk: { kind: 'mlp', hiddenSizes: [6, 9], activation: 'silu', layerNorm: true },
  initialLogTemperature: null,
  policyDelay: 2,
  maxGradNorm: 0.5,
};
export const NUM_DROPPED = 2;
export const SCALARS = {
  criticLearningRate: 1e-3,
  actorLearningRate: 1e-3,
  temperatureLearningRate: 1e-3,
  tau: 0.005,
  targetEntropy: -2,
  temperature: 0.3, // where it is not learnt
};

/** Batch k of so many rows; always the same. */
export function batch(numRows: number, k = 0): Columns {
  return {
    observations: normals(`${k} observations`, 3 * numRows),
    actions: normals(`${k} actions`, 2 * numRows).map((x) => Math.fround(Math.tanh(x))),
    rewards: normals(`${k} rewards`, numRows),
    discounts: normals(`${k} discounts`, numRows).map((x) => (x > 0.8 ? 0 : Math.fround(0.97))),
    nextObservations: normals(`${k} nextObservations`, 3 * numRows),
    noise: normals(`${k} noise`, 2 * numRows),
    nextNoise: normals(`${k} nextNoise`, 2 * numRows),
  };
}
