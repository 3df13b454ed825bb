import { describe, expect, it } from 'vitest';
import { createSacDiscreteGradient } from '../../../algorithms/sac-discrete/gradient.ts';
import {
  type SacDiscreteShape,
  sacDiscreteModel,
  sacDiscreteObjective,
} from '../../../algorithms/sac-discrete/objective.ts';
import { criticNames, modelLayout } from '../../../src/policy/networks/model.ts';
import { openStream } from '../../../src/random/streams.ts';
import { expectGradient } from '../../reference/expect-gradient.ts';
import {
  type LearntReference,
  sequenceBatch,
  sequencesOf,
  withCell,
} from '../../reference/learnt-rows-reference.ts';
import { type Columns, openFixture, randomModelParameters } from '../../reference/objective-fixture.ts';
import { batch, CASES, DROPOUT, SCALARS, SHAPE, sacDiscreteLosses } from './sac-discrete-fixture.ts';

/** @param seen what losses see of the columns; absent = transitions. */
async function expectGradients(
  shape: SacDiscreteShape,
  columns: Columns,
  seen?: (fixed: Float64Array) => LearntReference,
): Promise<void> {
  const model = sacDiscreteModel(shape);
  const { ranges } = modelLayout(model);
  const parameters = randomModelParameters(model, openStream(3, 'parameters'), 0.5);
  const open = createSacDiscreteGradient(model, { hasMasks: shape.hasMasks });
  const fixture = await openFixture(model, sacDiscreteObjective(shape), open, columns.rewards.length);
  fixture.learner.writeParameters(parameters);
  const p = Float64Array.from(parameters);
  const losses = sacDiscreteLosses(shape, columns, p, seen?.(p));
  const check = (gradient: Float32Array, name: string, loss: (p: Float64Array) => number) =>
    expectGradient(gradient, ranges[name], loss, p, name);
  const first = fixture.gradient(0, columns, SCALARS);
  for (const name of criticNames(shape.numCritics)) check(first, name, losses.critic);
  const second = fixture.gradient(1, columns, SCALARS);
  check(second, 'actor', losses.actor);
  if (shape.initialLogTemperature !== null) check(second, 'logTemperature', losses.temperature);
}

describe('the closed form of discrete SAC', () => {
  for (const [what, shape] of [...CASES, ['dropout', DROPOUT] as const]) {
    for (const numRows of [5, 37]) {
      it(`has the gradients of the float64 losses: ${what}, ${numRows} rows`, () =>
        expectGradients(shape, batch(numRows)));
    }
  }

  it.each([
    ['lstm', 2, { ...SHAPE, hasMasks: true }],
    ['gru', 0, CASES[2][1]],
  ] as const)('has them for sequences through cells: %s, burn-in %i', (kind, burnIn, base) => {
    const cell = { kind, size: 3 };
    const sequences = { length: burnIn + 5, burnIn, perBlock: 4 };
    const shape = withCell(base, cell, sequences);
    const columns = sequenceBatch(cell, sequences);
    const { actions, masks } = batch(columns.rewards.length);
    const chosen = { ...columns, actions, masks };
    return expectGradients(shape, chosen, (fixed) =>
      sequencesOf(sacDiscreteModel(shape), chosen, sequences, fixed),
    );
  });
});

it('rests where pi is the softmax of Q over the temperature: Q 1 and 0, temperature 0.5', async () => {
  const shape = { ...SHAPE, numActions: 2, initialLogTemperature: Math.log(0.5), numCritics: 1 };
  const model = sacDiscreteModel(shape);
  const { entries, ranges } = modelLayout(model);
  const fixture = await openFixture(
    model,
    sacDiscreteObjective(shape),
    createSacDiscreteGradient(model, { hasMasks: false }),
    1,
  );
  // weights 0, so that heads' biases are what the networks give: logits 2 and 0, values 1 and 0
  const parameters = new Float32Array(fixture.learner.readParameters().length);
  const biasOf = (name: string) =>
    entries.find((entry) => entry.name === `${name}/head/bias`)?.offset as number;
  parameters[biasOf('actor')] = 2;
  parameters[biasOf('q1')] = 1;
  parameters[biasOf('target/q1')] = 1;
  parameters[ranges.logTemperature.offset] = Math.fround(Math.log(0.5));
  const zeros = [0, 0, 0];
  const columns = {
    ...{ observations: zeros, nextObservations: zeros },
    ...{ actions: [1], rewards: [0], discounts: [1] },
  };
  fixture.learner.writeParameters(parameters);
  const actor = fixture.gradient(1, columns, { ...SCALARS, targetEntropy: 0 });
  expect(Math.abs(actor[biasOf('actor')])).toBeLessThan(1e-7);
  expect(actor[ranges.logTemperature.offset]).toBeCloseTo(0.365334, 6); // the entropy, for a target of 0
  // q(s, 1) = 0 against y = V(s') = 1.063464
  expect(fixture.gradient(0, columns, SCALARS)[biasOf('q1') + 1]).toBeCloseTo(-1.063464, 6);
});
