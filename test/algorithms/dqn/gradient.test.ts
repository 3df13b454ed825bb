import { describe, expect, it } from 'vitest';
import { createDqnGradient } from '../../../algorithms/dqn/gradient.ts';
import { dqnModel, dqnObjective, lossOptionsToJson } from '../../../algorithms/dqn/objective.ts';
import { modelLayout } from '../../../src/policy/networks/model.ts';
import { openStream } from '../../../src/random/streams.ts';
import { differences } from '../../reference/model-reference.ts';
import { openFixture, randomModelParameters } from '../../reference/objective-fixture.ts';
import { batch, CASES, SCALARS } from './dqn-fixture.ts';
import { dqnLoss } from './dqn-reference.ts';

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
        const { ranges } = modelLayout(model);
        const { offset } = ranges.q;
        const size = ranges.q.size + (ranges['noise/q']?.size ?? 0); // the deviations stand behind
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
