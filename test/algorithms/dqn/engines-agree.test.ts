import { describe, it } from 'vitest';
import { createDqnGradient } from '../../../algorithms/dqn/gradient.ts';
import { createDqnLoss } from '../../../algorithms/dqn/loss.ts';
import { dqnModel, dqnObjective, lossOptionsToJson } from '../../../algorithms/dqn/objective.ts';
import { expectAgreement } from '../engines-agree.ts';
import { batch, CASES, SCALARS } from './dqn-fixture.ts';

describe('both engines learn the same DQN', () => {
  it.each(CASES)('%s', (_, shape) => {
    const model = dqnModel(shape);
    const options = lossOptionsToJson(shape.options);
    const forms = { open: createDqnGradient(model, options), losses: createDqnLoss(model, options) };
    const parts = { model, objective: dqnObjective(shape), scalars: SCALARS, numRows: 37 };
    return expectAgreement({ ...parts, ...forms, batch: (k) => batch(shape, 37, k) }, 50, 1e-4);
  });
});
