import { expect, it } from 'vitest';
import { sacModel, sacObjective } from '../../../algorithms/sac/objective.ts';
import { createTqcGradient } from '../../../algorithms/tqc/gradient.ts';
import { createTqcLoss } from '../../../algorithms/tqc/loss.ts';
import { expectAgreement } from '../engines-agree.ts';
import { batch, NUM_DROPPED, SCALARS, SHAPE } from './tqc-fixture.ts';

it('both engines learn the same TQC, fifty updates', async () => {
  const model = sacModel(SHAPE);
  const options = { numDropped: NUM_DROPPED };
  const forms = { open: createTqcGradient(model, options), losses: createTqcLoss(model, options) };
  const parts = { model, objective: sacObjective(SHAPE), scalars: SCALARS, numRows: 37 };
  await expectAgreement({ ...parts, ...forms, batch: (k) => batch(37, k) }, 50, 1e-4);
  expect.hasAssertions();
});
