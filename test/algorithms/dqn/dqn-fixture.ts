/** Small DQNs of every kind, and batches for them. */
import { type DqnShape, dqnModel, dqnObjective } from '../../../algorithms/dqn/objective.ts';
import type { EpsilonGreedySpec } from '../../../src/policy/distributions/epsilon-greedy.ts';
import { createParameterNoise } from '../../../src/policy/networks/parameter-noise.ts';
import { openStream } from '../../../src/random/streams.ts';
import { type Columns, normals } from '../../reference/objective-fixture.ts';

export const SCALARS = { learningRate: 1e-3, tau: 0.05 };

function shapeOf(
  distribution: Partial<EpsilonGreedySpec>,
  options: Partial<DqnShape['options']> = {},
): DqnShape {
  return {
    observation: { size: 3, dtype: 'float32', shape: [3], isNormalized: false },
    clipObservation: 10,
    trunk: { kind: 'mlp', hiddenSizes: [9, 6], activation: 'tanh', layerNorm: false },
    options: {
      distribution: {
        kind: 'epsilon-greedy',
        sizes: [3],
        numAtoms: 1,
        support: null,
        dueling: false,
        ...distribution,
      },
      double: false,
      loss: 'huber',
      hasMasks: false,
      isWeighted: false,
      isNoisy: false,
      ...options,
    },
    followsByTau: false,
    maxGradNorm: null,
    adam: { adamBeta1: 0.9, adamBeta2: 0.999, adamEpsilon: 1e-8, weightDecay: 0 },
  };
}

/** Batch k of so many rows; always the same. */
export function batch(shape: DqnShape, numRows: number, k = 0): Columns {
  const { options } = shape;
  const model = dqnModel(shape);
  const noises = (dqnObjective(shape).noises ?? []).map(({ name, network }) => [
    name,
    normals(`${name} ${k}`, createParameterNoise(model, network).size, 0.7),
  ]);
  const { sizes } = options.distribution;
  const numActions = sizes.reduce((sum, size) => sum + size, 0);
  const pick = openStream(11, 'actions', k);
  return {
    observations: normals(`observations ${k}`, 3 * numRows),
    actions: Array.from({ length: numRows * sizes.length }, (_, i) => pick.integer(sizes[i % sizes.length])),
    rewards: normals(`rewards ${k}`, numRows, 1.5),
    discounts: normals(`discounts ${k}`, numRows).map((x) => (x > 0.8 ? 0 : Math.fround(0.97))),
    nextObservations: normals(`nextObservations ${k}`, 3 * numRows),
    // the first action of every branch is always allowed
    nextMasks: Array.from({ length: numRows * numActions }, (_, i) =>
      i % numActions === 0 || i % numActions === sizes[0] || pick.uniform() < 0.5 ? 1 : 0,
    ),
    weights: Array.from({ length: numRows }, () => Math.fround(pick.uniform())),
    ...Object.fromEntries(noises),
  };
}

const support = { low: -3, high: 3 };
export const CASES: readonly (readonly [string, DqnShape])[] = [
  ['a value with smooth L1', shapeOf({})],
  ['a value with its square, double', shapeOf({}, { loss: 'mse', double: true })],
  [
    'dueling, double, masks, weights',
    shapeOf({ dueling: true }, { double: true, hasMasks: true, isWeighted: true }),
  ],
  ['branches', shapeOf({ sizes: [2, 4] }, { hasMasks: true })],
  ['dueling branches, double', shapeOf({ sizes: [2, 4], dueling: true }, { double: true })],
  ['quantiles', shapeOf({ numAtoms: 5 }, { double: true })],
  ['dueling quantiles of branches', shapeOf({ sizes: [2, 3], numAtoms: 4, dueling: true })],
  ['C51', shapeOf({ numAtoms: 7, support })],
  [
    'dueling C51, double, weights',
    shapeOf({ numAtoms: 7, support, dueling: true }, { double: true, isWeighted: true }),
  ],
  [
    'quantiles with masks and weights',
    shapeOf({ numAtoms: 5 }, { double: true, hasMasks: true, isWeighted: true }),
  ],
  ['C51 of branches, masks', shapeOf({ sizes: [2, 3], numAtoms: 7, support }, { hasMasks: true })],
  [
    'a target that follows, a clipped gradient',
    { ...shapeOf({ dueling: true }, { double: true }), followsByTau: true, maxGradNorm: 0.1 },
  ],
  ['noisy layers', shapeOf({}, { isNoisy: true })],
  ['noisy quantiles', shapeOf({ numAtoms: 5 }, { isNoisy: true })],
  [
    'noisy layers beside layer normalisation, double',
    {
      ...shapeOf({ sizes: [2, 4] }, { isNoisy: true, double: true }),
      trunk: { kind: 'mlp', hiddenSizes: [5, 4], activation: 'relu', layerNorm: true },
    },
  ],
  [
    'Rainbow',
    {
      ...shapeOf(
        { numAtoms: 7, support, dueling: true },
        { double: true, isWeighted: true, hasMasks: true, isNoisy: true },
      ),
      trunk: { kind: 'mlp', hiddenSizes: [5], activation: 'tanh', layerNorm: false },
    },
  ],
];
