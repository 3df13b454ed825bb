import { describe, it } from 'vitest';
import { createTd3Gradient } from '../../../algorithms/td3/gradient.ts';
import { type Td3Shape, td3Model, td3Objective } from '../../../algorithms/td3/objective.ts';
import { modelLayout } from '../../../src/policy/networks/model.ts';
import { openStream } from '../../../src/random/streams.ts';
import { expectGradient } from '../../reference/expect-gradient.ts';
import {
  type LearntReference,
  sequenceBatch,
  sequencesOf,
  transitionsOf,
  withCell,
} from '../../reference/learnt-rows-reference.ts';
import { type Columns, openFixture, randomModelParameters } from '../../reference/objective-fixture.ts';
import { batch, NORMALIZED, SCALARS, SHAPE } from './td3-fixture.ts';

/** Straight from the equations, float64. */
function losses(
  shape: Td3Shape,
  columns: Columns,
  fixed: Float64Array,
  rows: LearntReference = transitionsOf(td3Model(shape), columns),
) {
  const critics = Array.from({ length: shape.numCritics }, (_, k) => `q${k + 1}`);
  const row = (name: string, r: number, size: number) => columns[name].slice(r * size, (r + 1) * size);
  const clip = (x: number, bound: number) => Math.max(-bound, Math.min(bound, x));
  const act = (p: Float64Array, name: string, r: number, isNext: boolean) =>
    rows.outputs(p, name, r, { isNext }).map(Math.tanh);
  /** @param draw of the pass, where critics have dropout. */
  const q = (p: Float64Array, name: string, r: number, a: readonly number[], draw: number) =>
    rows.outputs(p, name, r, { isNext: name.startsWith('target/'), beside: [a], draw })[0];
  const targets = columns.rewards.map((reward, r) => {
    const b = rows.nextOf(r);
    const noise = row('nextNoise', b, 2).map((e) => clip(SCALARS.targetNoise * e, SCALARS.targetNoiseClip));
    const a = act(fixed, 'target/actor', b, true).map((action, k) => clip(action + noise[k], 1));
    return (
      reward +
      columns.discounts[r] * Math.min(...critics.map((name, k) => q(fixed, `target/${name}`, b, a, k)))
    );
  });
  const errors = (p: Float64Array, r: number) =>
    critics.map((name, k) => {
      const draw = critics.length + k;
      return (q(p, name, r, row('actions', r, 2), draw) - targets[r]) ** 2;
    });
  return {
    critic: (p: Float64Array) => rows.mean((r) => errors(p, r).reduce((sum, error) => sum + error, 0)),
    actor: (p: Float64Array) =>
      rows.mean((r) => -q(fixed, 'q1', r, act(p, 'actor', r, false), 2 * critics.length)),
  };
}

/** @param seen what losses see of the columns; absent = transitions. */
async function expectGradients(
  shape: Td3Shape,
  columns: Columns,
  seen?: (fixed: Float64Array) => LearntReference,
): Promise<void> {
  const model = td3Model(shape);
  const { ranges } = modelLayout(model);
  const parameters = randomModelParameters(model, openStream(3, 'parameters'), 0.4);
  const open = createTd3Gradient(model, {});
  const fixture = await openFixture(model, td3Objective(shape), open, columns.rewards.length);
  fixture.learner.writeParameters(parameters);
  const p = Float64Array.from(parameters);
  const { critic, actor } = losses(shape, columns, p, seen?.(p));
  const check = (gradient: Float32Array, name: string, loss: (p: Float64Array) => number) =>
    expectGradient(gradient, ranges[name], loss, p, name);
  const first = fixture.gradient(0, columns, SCALARS);
  for (let k = 1; k <= shape.numCritics; k++) check(first, `q${k}`, critic);
  check(fixture.gradient(1, columns, SCALARS), 'actor', actor);
}

describe('the closed form of TD3', () => {
  for (const [numCritics, numRows, dropout, base] of [
    [2, 1, 0, SHAPE],
    [2, 37, 0, SHAPE],
    [1, 70, 0, SHAPE],
    [2, 37, 0.3, SHAPE],
    [3, 37, 0, NORMALIZED],
  ] as const) {
    it(`has the gradients of the float64 losses: ${numCritics} critics, ${numRows} rows, dropout ${dropout}`, async () => {
      const criticTrunk = { ...base.criticTrunk, ...(dropout > 0 && { dropout }) };
      const shape = { ...base, numCritics, criticTrunk };
      await expectGradients(shape, batch(numRows));
    });
  }

  it.each([
    ['lstm', 2, SHAPE],
    ['gru', 0, NORMALIZED],
  ] as const)('has them for sequences through cells: %s, burn-in %i', async (kind, burnIn, base) => {
    const cell = { kind, size: 3 };
    const sequences = { length: burnIn + 5, burnIn, perBlock: 4 };
    const shape = withCell(base, cell, sequences);
    const columns = sequenceBatch(cell, sequences);
    const withActions = { ...columns, actions: batch(columns.rewards.length).actions };
    await expectGradients(shape, withActions, (fixed) =>
      sequencesOf(td3Model(shape), withActions, sequences, fixed),
    );
  });
});
