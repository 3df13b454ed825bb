import { it } from 'vitest';
import { sacModel, sacObjective } from '../../../algorithms/sac/objective.ts';
import { createTqcGradient } from '../../../algorithms/tqc/gradient.ts';
import { createTqcLoss } from '../../../algorithms/tqc/loss.ts';
import { expectAgreement } from '../engines-agree.ts';
import { batch, FIXED, NUM_DROPPED, SCALARS, SHAPE } from './tqc-fixture.ts';

it.each([
  ['a learnt temperature', SHAPE],
  ['a fixed one, three critics, layer normalisation, a delay and clipping', FIXED],
])('both engines learn the same TQC, fifty updates: %s', (_, shape) => {
  const model = sacModel(shape);
  const options = { numDropped: NUM_DROPPED };
  const forms = { open: createTqcGradient(model, options), losses: createTqcLoss(model, options) };
  const parts = { model, objective: sacObjective(shape), scalars: SCALARS, numRows: 37 };
  return expectAgreement({ ...parts, ...forms, batch: (k) => batch(37, k) }, 50, 1e-4);
});
