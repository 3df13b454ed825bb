import { describe, expect, it } from 'vitest';
import { createDqnGradient } from '../../../algorithms/dqn/gradient.ts';
import {
  type DqnShape,
  dqnModel,
  dqnObjective,
  lossOptionsToJson,
} from '../../../algorithms/dqn/objective.ts';
import type { EpsilonGreedySpec } from '../../../src/policy/distributions/epsilon-greedy.ts';
import { modelLayout } from '../../../src/policy/networks/model.ts';
import { openStream } from '../../../src/random/streams.ts';
import { differences } from '../../reference/model-reference.ts';
import { normals, openFixture, randomModelParameters } from '../../reference/objective-fixture.ts';
import { dqnLoss } from './dqn-reference.ts';

const SCALARS = { learningRate: 1e-3 };

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
      ...options,
    },
    followsByTau: false,
    maxGradNorm: null,
    adam: { adamBeta1: 0.9, adamBeta2: 0.999, adamEpsilon: 1e-8, weightDecay: 0 },
  };
}

function batch({ options }: DqnShape, numRows: number) {
  const { sizes } = options.distribution;
  const numActions = sizes.reduce((sum, size) => sum + size, 0);
  const pick = openStream(11, 'actions');
  return {
    observations: normals('observations', 3 * numRows),
    actions: Array.from({ length: numRows * sizes.length }, (_, k) => pick.integer(sizes[k % sizes.length])),
    rewards: normals('rewards', numRows, 1.5),
    discounts: normals('discounts', numRows).map((x) => (x > 0.8 ? 0 : Math.fround(0.97))),
    nextObservations: normals('nextObservations', 3 * numRows),
    // the first action of every branch is always allowed
    nextMasks: Array.from({ length: numRows * numActions }, (_, k) =>
      k % numActions === 0 || k % numActions === sizes[0] || pick.uniform() < 0.5 ? 1 : 0,
    ),
    weights: Array.from({ length: numRows }, () => Math.fround(pick.uniform())),
  };
}

const support = { low: -3, high: 3 };
const CASES: readonly (readonly [string, DqnShape])[] = [
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
];

describe('the closed form of DQN', () => {
  for (const [what, shape] of CASES) {
    for (const numRows of [3, 37]) {
      it(`has the gradient of the float64 loss: ${what}, ${numRows} rows`, async () => {
        const model = dqnModel(shape);
        const parameters = randomModelParameters(model, openStream(3, 'parameters'), 0.5);
        const open = createDqnGradient(model, lossOptionsToJson(shape.options));
        const fixture = await openFixture(model, dqnObjective(shape), open, numRows);
        fixture.learner.writeParameters(parameters);
        const columns = batch(shape, numRows);
        const p = Float64Array.from(parameters);
        const { offset, size } = modelLayout(model).ranges.q;
        const expected = differences(dqnLoss(shape, columns, p), p, offset, offset + size);
        const gradient = fixture.gradient(0, columns, SCALARS);
        for (let k = 0; k < size; k++)
          expect(Math.abs(gradient[offset + k] - expected[k]), `${k}`).toBeLessThan(
            1e-5 * (1 + Math.abs(expected[k])),
          );
      });
    }
  }
});
