import { describe, it } from 'vitest';
import { createDqnGradient } from '../../../algorithms/dqn/gradient.ts';
import { dqnModel, dqnObjective, lossOptionsToJson } from '../../../algorithms/dqn/objective.ts';
import { modelLayout } from '../../../src/policy/networks/model.ts';
import { openStream } from '../../../src/random/streams.ts';
import { expectGradient } from '../../reference/expect-gradient.ts';
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
        const gradient = fixture.gradient(0, columns, SCALARS);
        expectGradient(gradient, { offset, size }, dqnLoss(shape, columns, p), p, 'q');
      });
    }
  }
});
