/** DQN's losses in slow float64, row by row, straight from the equations; nothing of the closed form is used. */
import type { DqnShape } from '../../../algorithms/dqn/objective.ts';
import { dqnModel } from '../../../algorithms/dqn/objective.ts';
import { forwardRow, withNoise } from '../../reference/model-reference.ts';
import type { Columns } from '../../reference/objective-fixture.ts';

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
const huber = (x: number) => (Math.abs(x) <= 1 ? 0.5 * x * x : Math.abs(x) - 0.5);

function softmax(logits: readonly number[]): number[] {
  const top = Math.max(...logits);
  const weights = logits.map((logit) => Math.exp(logit - top));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return weights.map((weight) => weight / total);
}

/** Atoms [branch][action][atom] of a row's outputs. */
function atomsOf(
  outputs: readonly number[],
  { sizes, numAtoms, dueling }: DqnShape['options']['distribution'],
) {
  const take = (first: number) => outputs.slice(first * numAtoms, (first + 1) * numAtoms);
  let next = dueling ? 1 : 0;
  return sizes.map((size) => {
    const advantages = Array.from({ length: size }, () => take(next++));
    if (!dueling) return advantages;
    const value = take(0);
    const means = value.map((_, j) => mean(advantages.map((atoms) => atoms[j])));
    return advantages.map((atoms) => atoms.map((a, j) => value[j] + a - means[j]));
  });
}

/** The loss as a function of the online network's parameters; targets are of `fixed`. */
export function dqnLoss(shape: DqnShape, columns: Columns, fixed: Float64Array): (p: Float64Array) => number {
  const model = dqnModel(shape);
  const { distribution, double, loss, hasMasks, isWeighted, isNoisy } = shape.options;
  const { sizes, numAtoms, support } = distribution;
  const S = shape.observation.size;
  const numActions = sizes.reduce((sum, size) => sum + size, 0);
  const at = (j: number) =>
    support === null ? 0 : support.low + (j * (support.high - support.low)) / (numAtoms - 1);
  const expectationOf = (atoms: readonly number[]) =>
    support === null ? mean(atoms) : softmax(atoms).reduce((sum, p, j) => sum + p * at(j), 0);
  const forward = (p: Float64Array, name: string, column: string, r: number) =>
    atomsOf(forwardRow(model, p, name, [columns[column].slice(r * S, (r + 1) * S)]), distribution);
  const drawn = (p: Float64Array, name: string, noise: string) =>
    isNoisy ? withNoise(model, p, name, columns[noise]) : p;
  const [targetParameters, chooserParameters] = [
    drawn(fixed, 'target/q', 'targetNoise'),
    double ? drawn(fixed, 'q', 'chooserNoise') : fixed,
  ];
  const targetOf = (r: number): number[] => {
    const next = forward(targetParameters, 'target/q', 'nextObservations', r);
    const choosing = double ? forward(chooserParameters, 'q', 'nextObservations', r) : next;
    let first = 0;
    const chosen = choosing.map((actions, branch) => {
      const allowed = actions.map((_, a) => !hasMasks || columns.nextMasks[r * numActions + first + a] === 1);
      first += sizes[branch];
      const values = actions.map((atoms, a) =>
        allowed[a] ? expectationOf(atoms) : Number.NEGATIVE_INFINITY,
      );
      return next[branch][values.indexOf(Math.max(...values))];
    });
    const kinds = support === null ? chosen : chosen.map(softmax);
    const average = kinds[0].map((_, j) => mean(kinds.map((atoms) => atoms[j])));
    const [reward, discount] = [columns.rewards[r], columns.discounts[r]];
    if (support === null) return average.map((value) => reward + discount * value);
    const width = at(1) - at(0);
    const moved = average.map((_, j) =>
      Math.min(support.high, Math.max(support.low, reward + discount * at(j))),
    );
    // dopamine's form of the projection
    return average.map((_, i) =>
      moved.reduce(
        (sum, z, j) => sum + average[j] * Math.min(1, Math.max(0, 1 - Math.abs(z - at(i)) / width)),
        0,
      ),
    );
  };
  const lossOf = (predicted: readonly number[], target: readonly number[]): number => {
    if (support !== null) {
      const probabilities = softmax(predicted);
      return -target.reduce((sum, m, j) => sum + m * Math.log(probabilities[j]), 0);
    }
    if (numAtoms === 1)
      return loss === 'huber' ? huber(predicted[0] - target[0]) : (predicted[0] - target[0]) ** 2;
    return predicted.reduce((sum, theta, i) => {
      const tau = (i + 0.5) / numAtoms;
      return sum + mean(target.map((y) => Math.abs(tau - (y < theta ? 1 : 0)) * huber(y - theta)));
    }, 0);
  };
  const rows = columns.rewards.map((_, r) => r);
  const targets = rows.map(targetOf);
  return (p) => {
    const parameters = drawn(p, 'q', 'noise');
    return mean(
      rows.map((r) => {
        const online = forward(parameters, 'q', 'observations', r);
        const losses = online.map((actions, branch) =>
          lossOf(actions[columns.actions[r * sizes.length + branch]], targets[r]),
        );
        return (isWeighted ? columns.weights[r] : 1) * mean(losses);
      }),
    );
  };
}
