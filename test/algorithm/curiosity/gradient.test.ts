import { expect, it, onTestFinished } from 'vitest';
import { createCuriosityGradient } from '../../../src/algorithm/curiosity/gradient.ts';
import { type Bonus, curiosityModel, curiosityObjective } from '../../../src/algorithm/curiosity/model.ts';
import { type ModelSpec, modelLayout } from '../../../src/policy/networks/model.ts';
import { openStream } from '../../../src/random/streams.ts';
import { differences, forwardRow } from '../../reference/model-reference.ts';
import { type Columns, openFixture, randomModelParameters } from '../../reference/objective-fixture.ts';
import { batchOf, optionsOf, shapeOf } from './curiosity-shapes.ts';

const squares = (a: readonly number[], b: readonly number[]) =>
  a.reduce((sum, value, k) => sum + (value - b[k]) ** 2, 0);

/** -log of the softmax at the one that is 1. */
function crossEntropy(logits: readonly number[], oneHot: readonly number[]): number {
  const total = Math.log(logits.reduce((sum, logit) => sum + Math.exp(logit), 0));
  return total - logits[oneHot.indexOf(1)];
}

/** The loss of one row, with the features of the forward model those of `fixed`: nothing flows into them from there. */
function rowLoss(
  model: ModelSpec,
  bonus: Bonus,
  columns: Columns,
  r: number,
  p: Float64Array,
  fixed: Float64Array,
) {
  const rowOf = (name: string, size: number) => columns[name].slice(size * r, size * (r + 1));
  const run = (network: string, ...inputs: number[][]) => forwardRow(model, p, network, inputs);
  const [x, next] = [rowOf('observations', 4), bonus === 'count' ? [] : rowOf('nextObservations', 4)];
  const value = columns.valueWeights[r] * 0.5 * (run('value', x)[0] - columns.returns[r]) ** 2;
  if (bonus === 'count') return value;
  const weight = columns.bonusWeights[r];
  if (bonus === 'rnd') return value + (weight * squares(run('predictor', next), run('target', next))) / 5;
  const action = rowOf('actions', 7);
  const [phi, phiNext] = [x, next].map((row) => forwardRow(model, fixed, 'features', [row]));
  const prediction = squares(run('forward', phi, action), phiNext) / 5;
  const inverse = run('inverse', run('features', x), run('features', next));
  const choices = [0, 3].map((from, k) => {
    const to = from + [3, 2][k];
    return crossEntropy(inverse.slice(from, to), action.slice(from, to));
  });
  const numbers = 0.5 * squares(inverse.slice(5), action.slice(5));
  return value + weight * (prediction + choices[0] + choices[1] + numbers);
}

it.each([
  ['rnd', 2],
  ['rnd', 70],
  ['icm', 9],
  ['count', 70],
] as const)('the closed form of %s is the gradient of its loss, %i rows', async (bonus, numRows) => {
  const model = curiosityModel(shapeOf(bonus));
  const objective = curiosityObjective(shapeOf(bonus));
  const open = createCuriosityGradient(model, optionsOf(bonus));
  const { gradient, learner } = await openFixture(model, objective, open, numRows);
  onTestFinished(() => learner.dispose());
  const parameters = randomModelParameters(model, openStream(2, 'parameters'));
  learner.writeParameters(parameters);
  const columns = batchOf(bonus, 1, numRows);
  const fixed = Float64Array.from(parameters);
  const loss = (p: Float64Array) => {
    let sum = 0;
    for (let r = 0; r < numRows; r++) sum += rowLoss(model, bonus, columns, r, p, fixed);
    return sum / numRows;
  };
  const { ranges } = modelLayout(model);
  const { offset: end } = ranges.target ?? { offset: parameters.length }; // the random network is not trained
  const expected = differences(loss, Float64Array.from(parameters), 0, end);
  const scalars = Object.fromEntries(objective.scalars.map((name) => [name, 0]));
  const actual = gradient(1, columns, scalars).subarray(0, end);
  for (const [k, value] of actual.entries())
    expect(Math.abs(value - expected[k])).toBeLessThan(2e-5 * (1 + Math.abs(expected[k])));
  expect(Math.max(...actual.map(Math.abs))).toBeGreaterThan(0.01);
});
