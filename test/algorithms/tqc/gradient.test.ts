import { describe, expect, it } from 'vitest';
import { type SacShape, sacModel, sacObjective } from '../../../algorithms/sac/objective.ts';
import { createTqcGradient, truncatedTarget } from '../../../algorithms/tqc/gradient.ts';
import { criticNames, modelLayout } from '../../../src/policy/networks/model.ts';
import { openStream } from '../../../src/random/streams.ts';
import { expectGradient } from '../../reference/expect-gradient.ts';
import {
  type LearntReference,
  sequenceBatch,
  sequencesOf,
  transitionsOf,
  withCell,
} from '../../reference/learnt-rows-reference.ts';
import {
  type Columns,
  normals,
  openFixture,
  randomModelParameters,
} from '../../reference/objective-fixture.ts';
import { sampleReference } from '../sac/sac-reference.ts';
import { batch, FIXED, NUM_DROPPED, SCALARS, SHAPE } from './tqc-fixture.ts';

const huber = (x: number) => (Math.abs(x) <= 1 ? 0.5 * x * x : Math.abs(x) - 0.5);
const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

/** Straight from the equations, float64. */
function losses(
  shape: SacShape,
  columns: Columns,
  fixed: Float64Array,
  rows: LearntReference = transitionsOf(sacModel(shape), columns),
) {
  const model = sacModel(shape);
  const { ranges } = modelLayout(model);
  const critics = criticNames(shape.numCritics);
  const isTuned = shape.initialLogTemperature !== null;
  const alpha = isTuned ? Math.exp(fixed[ranges.logTemperature.offset]) : SCALARS.temperature;
  const row = (name: string, r: number, size: number) => columns[name].slice(r * size, (r + 1) * size);
  /** All critics' atoms of one row. @param first draw of the step's passes, where critics have dropout. */
  const atoms = (p: Float64Array, prefix: string, r: number, a: readonly number[], first: number) =>
    critics.map((critic, k) =>
      rows.outputs(p, `${prefix}${critic}`, r, { isNext: first === 0, beside: [a], draw: first + k }),
    );
  const targets = columns.rewards.map((reward, r) => {
    const b = rows.nextOf(r);
    const { actions, logProb } = sampleReference(
      rows.outputs(fixed, 'actor', b, { isNext: true }),
      row('nextNoise', b, 2),
    );
    const pooled = atoms(fixed, 'target/', b, actions, 0).flat();
    const kept = pooled.sort((a, b) => a - b).slice(0, critics.length * (5 - NUM_DROPPED));
    return kept.map((z) => reward + columns.discounts[r] * (z - alpha * logProb));
  });
  return {
    critic: (p: Float64Array) =>
      rows.mean((r) => {
        const predicted = atoms(p, '', r, row('actions', r, 2), critics.length);
        return mean(
          predicted.flatMap((each) =>
            each.flatMap((theta, i) =>
              targets[r].map((y) => Math.abs((i + 0.5) / 5 - (y < theta ? 1 : 0)) * huber(y - theta)),
            ),
          ),
        );
      }),
    actor: (p: Float64Array) =>
      rows.mean((r) => {
        const { actions, logProb } = sampleReference(rows.outputs(p, 'actor', r), row('noise', r, 2));
        return alpha * logProb - mean(atoms(fixed, '', r, actions, 2 * critics.length).flat());
      }),
    temperature: (p: Float64Array) =>
      -p[ranges.logTemperature.offset] *
      rows.mean((r) => {
        const outputs = rows.outputs(fixed, 'actor', r);
        return sampleReference(outputs, row('noise', r, 2)).logProb + SCALARS.targetEntropy;
      }),
  };
}

/** @param seen what losses see of the columns; absent = transitions. */
async function expectGradients(
  shape: SacShape,
  columns: Columns,
  seen?: (fixed: Float64Array) => LearntReference,
): Promise<void> {
  const model = sacModel(shape);
  const { ranges } = modelLayout(model);
  const parameters = randomModelParameters(model, openStream(3, 'parameters'), 0.4);
  const open = createTqcGradient(model, { numDropped: NUM_DROPPED });
  const fixture = await openFixture(model, sacObjective(shape), open, columns.rewards.length);
  fixture.learner.writeParameters(parameters);
  const p = Float64Array.from(parameters);
  const { critic, actor, temperature } = losses(shape, columns, p, seen?.(p));
  const check = (gradient: Float32Array, name: string, loss: (p: Float64Array) => number) =>
    expectGradient(gradient, ranges[name], loss, p, name);
  const first = fixture.gradient(0, columns, SCALARS);
  for (const name of criticNames(shape.numCritics)) check(first, name, critic);
  const second = fixture.gradient(1, columns, SCALARS);
  check(second, 'actor', actor);
  if (shape.initialLogTemperature !== null) check(second, 'logTemperature', temperature);
}

describe('the closed form of TQC', () => {
  it.each([
    [1, 0, SHAPE],
    [37, 0, SHAPE],
    [5, 0.3, SHAPE],
    [37, 0, FIXED],
  ])('has the gradients of the float64 losses for %i rows, dropout %d', async (numRows, dropout, base) => {
    const criticTrunk = { ...base.criticTrunk, ...(dropout > 0 && { dropout }) };
    const shape = { ...base, criticTrunk };
    const dropoutSeeds = normals('dropoutSeeds', numRows, 1e9).map(Math.round);
    await expectGradients(shape, { ...batch(numRows), dropoutSeeds });
  });

  it.each([
    ['gru', 2, SHAPE],
    ['lstm', 0, FIXED],
  ] as const)('has them for sequences through cells: %s, burn-in %i', async (kind, burnIn, base) => {
    const cell = { kind, size: 3 };
    const sequences = { length: burnIn + 5, burnIn, perBlock: 4 };
    const shape = withCell(base, cell, sequences);
    const columns = sequenceBatch(cell, sequences);
    const withActions = { ...columns, actions: batch(columns.rewards.length).actions };
    await expectGradients(shape, withActions, (fixed) =>
      sequencesOf(sacModel(shape), withActions, sequences, fixed),
    );
  });

  it('drops the largest atoms of the pool: critics [1, 3, 7] and [2, 4, 10], one for each', () => {
    const pool = Float64Array.of(1, 3, 7, 2, 4, 10);
    const mean = truncatedTarget(pool, 4, 0.5, 0.9, 0.2 * -1.5);
    [1.67, 2.57, 3.47, 4.37].forEach((y, j) => void expect(pool[j]).toBeCloseTo(y, 12));
    expect(mean).toBeCloseTo(3.02, 12);
  });
});
