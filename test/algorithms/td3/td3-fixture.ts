/** A small TD3 and batches for it. */
import type { Td3Shape } from '../../../algorithms/td3/objective.ts';
import { type Columns, normals } from '../../reference/objective-fixture.ts';

export const SHAPE: Td3Shape = {
  observation: { size: 3, dtype: 'float32', shape: [3], isNormalized: false },
  clipObservation: 10,
  actionSize: 2,
  actorTrunk: { kind: 'mlp', hiddenSizes: [7, 5], activation: 'tanh', layerNorm: false },
  criticTrunk: { kind: 'mlp', hiddenSizes: [6, 9], activation: 'elu', layerNorm: false },
  numCritics: 2,
  policyDelay: 2,
  maxGradNorm: null,
  adam: { adamBeta1: 0.9, adamBeta2: 0.999, adamEpsilon: 1e-8, weightDecay: 0 },
};
export const NORMALIZED: Td3Shape = {
  ...SHAPE,
  criticTrunk: { kind: 'mlp', hiddenSizes: [6, 9], activation: 'silu', layerNorm: true },
  policyDelay: 1,
  maxGradNorm: 0.5,
};
export const SCALARS = {
  criticLearningRate: 1e-3,
  actorLearningRate: 1e-3,
  tau: 0.005,
  targetNoise: 0.4,
  targetNoiseClip: 0.5,
};

/** Batch k of so many rows; always the same. */
export function batch(numRows: number, k = 0): Columns {
  return {
    observations: normals(`${k} observations`, 3 * numRows),
    actions: normals(`${k} actions`, 2 * numRows).map((x) => Math.fround(Math.tanh(x))),
    rewards: normals(`${k} rewards`, numRows),
    discounts: normals(`${k} discounts`, numRows).map((x) => (x > 0.8 ? 0 : Math.fround(0.97))),
    nextObservations: normals(`${k} nextObservations`, 3 * numRows),
    nextNoise: normals(`${k} nextNoise`, 2 * numRows),
    dropoutSeeds: normals(`${k} dropoutSeeds`, numRows, 1e9).map(Math.round),
  };
}
