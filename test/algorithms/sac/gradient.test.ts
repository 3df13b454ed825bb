import { describe, it } from 'vitest';
import { createSacGradient } from '../../../algorithms/sac/gradient.ts';
import { type SacShape, sacModel, sacObjective } from '../../../algorithms/sac/objective.ts';
import { criticNames, modelLayout } from '../../../src/policy/networks/model.ts';
import { openStream } from '../../../src/random/streams.ts';
import { expectGradient } from '../../reference/expect-gradient.ts';
import {
  type LearntReference,
  sequenceBatch,
  sequencesOf,
  withCell,
} from '../../reference/learnt-rows-reference.ts';
import {
  type Columns,
  normals,
  openFixture,
  randomModelParameters,
} from '../../reference/objective-fixture.ts';
import { SHAPE, sacLosses } from './sac-reference.ts';

const SCALARS = {
  criticLearningRate: 1e-3,
  actorLearningRate: 1e-3,
  temperatureLearningRate: 1e-3,
  tau: 0.005,
  targetEntropy: -2,
  temperature: 0.3, // where it is not learnt
};

const actionsOf = (numRows: number) =>
  normals('actions', 2 * numRows)
    .map(Math.tanh)
    .map(Math.fround);

function batch(numRows: number) {
  const flags = normals('discounts', numRows);
  return {
    observations: normals('observations', 3 * numRows),
    actions: actionsOf(numRows),
    rewards: normals('rewards', numRows),
    discounts: flags.map((flag) => (flag > 0.8 ? 0 : Math.fround(0.97))),
    nextObservations: normals('nextObservations', 3 * numRows),
    noise: normals('noise', 2 * numRows),
    nextNoise: normals('nextNoise', 2 * numRows),
    dropoutSeeds: normals('dropoutSeeds', numRows, 1e9).map(Math.round),
  };
}

const NORMALIZED: SacShape = {
  ...SHAPE,
  criticTrunk: { kind: 'mlp', hiddenSizes: [6, 9], activation: 'silu', layerNorm: true },
  actorTrunk: { kind: 'mlp', hiddenSizes: [7], activation: 'tanh', layerNorm: true },
  numCritics: 3,
};

const DROQ: SacShape = {
  ...SHAPE,
  criticTrunk: { kind: 'mlp', hiddenSizes: [8, 6], activation: 'relu', layerNorm: true, dropout: 0.2 },
};
const DROPOUT: SacShape = {
  ...SHAPE,
  criticTrunk: { kind: 'mlp', hiddenSizes: [16], activation: 'tanh', layerNorm: false, dropout: 0.3 },
};

const FIXED: SacShape = { ...SHAPE, numCritics: 1, initialLogTemperature: null };

/** @param seen what losses see of the columns; absent = transitions. */
async function expectGradients(
  shape: SacShape,
  columns: Columns,
  seen?: (fixed: Float64Array) => LearntReference,
): Promise<void> {
  const model = sacModel(shape);
  const { ranges } = modelLayout(model);
  const parameters = randomModelParameters(model, openStream(3, 'parameters'));
  const open = createSacGradient(model, {});
  const fixture = await openFixture(model, sacObjective(shape), open, columns.rewards.length);
  fixture.learner.writeParameters(parameters);
  const p = Float64Array.from(parameters);
  const losses = sacLosses(shape, columns, SCALARS, p, seen?.(p));
  const check = (gradient: Float32Array, name: string, loss: (p: Float64Array) => number) =>
    expectGradient(gradient, ranges[name], loss, p, name);
  const first = fixture.gradient(0, columns, SCALARS);
  for (const name of criticNames(shape.numCritics)) check(first, name, losses.critic);
  const second = fixture.gradient(1, columns, SCALARS);
  check(second, 'actor', losses.actor);
  if (shape.initialLogTemperature !== null) check(second, 'logTemperature', losses.temperature);
}

describe('the closed form of SAC', () => {
  for (const [what, shape, numRows] of [
    ['two critics', SHAPE, 1],
    ['two critics', SHAPE, 5],
    ['two critics', SHAPE, 33],
    ['two critics', SHAPE, 70],
    ['three critics and layer normalisation', NORMALIZED, 37],
    ['dropout and layer normalisation', DROQ, 37],
    ['dropout', DROPOUT, 5],
    ['one critic, a fixed temperature', FIXED, 37],
  ] as const) {
    it(`has the gradients of the float64 losses for ${numRows} rows, ${what}`, () =>
      expectGradients(shape, batch(numRows)));
  }

  it.each([
    ['lstm', 2, 5, SHAPE],
    ['gru', 0, 3, FIXED],
    ['lstm', 3, 2, DROQ],
  ] as const)(
    'has them for sequences through cells: %s, burn-in %i, %i units',
    (kind, burnIn, size, base) => {
      const cell = { kind, size };
      const sequences = { length: burnIn + 5, burnIn, perBlock: 4 };
      const shape = withCell(base, cell, sequences);
      const columns = sequenceBatch(cell, sequences);
      const withActions = { ...columns, actions: actionsOf(columns.rewards.length) };
      return expectGradients(shape, withActions, (fixed) =>
        sequencesOf(sacModel(shape), withActions, sequences, fixed),
      );
    },
  );
});
