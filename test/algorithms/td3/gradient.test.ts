import { describe, it } from 'vitest';
import { createTd3Gradient } from '../../../algorithms/td3/gradient.ts';
import { type Td3Shape, td3Model, td3Objective } from '../../../algorithms/td3/objective.ts';
import { modelLayout } from '../../../src/policy/networks/model.ts';
import { openStream } from '../../../src/random/streams.ts';
import { expectGradient } from '../../reference/expect-gradient.ts';
import { forwardRow, masksOf } from '../../reference/model-reference.ts';
import { type Columns, openFixture, randomModelParameters } from '../../reference/objective-fixture.ts';
import { batch, NORMALIZED, SCALARS, SHAPE } from './td3-fixture.ts';

/** Straight from the equations, float64. */
function losses(shape: Td3Shape, columns: Columns, fixed: Float64Array) {
  const model = td3Model(shape);
  const critics = Array.from({ length: shape.numCritics }, (_, k) => `q${k + 1}`);
  const row = (name: string, r: number, size: number) => columns[name].slice(r * size, (r + 1) * size);
  const clip = (x: number, bound: number) => Math.max(-bound, Math.min(bound, x));
  const act = (p: Float64Array, name: string, s: readonly number[]) =>
    forwardRow(model, p, name, [s]).map(Math.tanh);
  /** @param draw of the pass, where critics have dropout. */
  const q = (
    p: Float64Array,
    name: string,
    r: number,
    s: readonly number[],
    a: readonly number[],
    draw: number,
  ) => forwardRow(model, p, name, [s, a], masksOf(model, name, columns.dropoutSeeds[r], draw))[0];
  const targets = columns.rewards.map((reward, r) => {
    const s = row('nextObservations', r, 3);
    const noise = row('nextNoise', r, 2).map((e) => clip(SCALARS.targetNoise * e, SCALARS.targetNoiseClip));
    const a = act(fixed, 'target/actor', s).map((action, k) => clip(action + noise[k], 1));
    return (
      reward +
      columns.discounts[r] * Math.min(...critics.map((name, k) => q(fixed, `target/${name}`, r, s, a, k)))
    );
  });
  const mean = (f: (r: number) => number) => targets.reduce((sum, _, r) => sum + f(r), 0) / targets.length;
  const errors = (p: Float64Array, r: number) =>
    critics.map((name, k) => {
      const draw = critics.length + k;
      return (q(p, name, r, row('observations', r, 3), row('actions', r, 2), draw) - targets[r]) ** 2;
    });
  return {
    critic: (p: Float64Array) => mean((r) => errors(p, r).reduce((sum, error) => sum + error, 0)),
    actor: (p: Float64Array) =>
      mean((r) => {
        const s = row('observations', r, 3);
        return -q(fixed, 'q1', r, s, act(p, 'actor', s), 2 * critics.length);
      }),
  };
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
      const model = td3Model(shape);
      const { ranges } = modelLayout(model);
      const parameters = randomModelParameters(model, openStream(3, 'parameters'), 0.4);
      const fixture = await openFixture(model, td3Objective(shape), createTd3Gradient(model, {}), numRows);
      fixture.learner.writeParameters(parameters);
      const columns = batch(numRows);
      const p = Float64Array.from(parameters);
      const { critic, actor } = losses(shape, columns, p);
      const check = (gradient: Float32Array, name: string, loss: (p: Float64Array) => number) =>
        expectGradient(gradient, ranges[name], loss, p, name);
      const first = fixture.gradient(0, columns, SCALARS);
      for (let k = 1; k <= numCritics; k++) check(first, `q${k}`, critic);
      check(fixture.gradient(1, columns, SCALARS), 'actor', actor);
    });
  }
});
