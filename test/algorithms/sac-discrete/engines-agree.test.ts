import { describe, it } from 'vitest';
import { createSacDiscreteGradient } from '../../../algorithms/sac-discrete/gradient.ts';
import { createSacDiscreteLoss } from '../../../algorithms/sac-discrete/loss.ts';
import { sacDiscreteModel, sacDiscreteObjective } from '../../../algorithms/sac-discrete/objective.ts';
import { expectAgreement } from '../engines-agree.ts';
import { batch, CASES, SCALARS } from './sac-discrete-fixture.ts';

describe('both engines learn the same discrete SAC', () => {
  it.each(CASES)('%s', (_, shape) => {
    const model = sacDiscreteModel(shape);
    const options = { hasMasks: shape.hasMasks };
    const forms = {
      open: createSacDiscreteGradient(model, options),
      losses: createSacDiscreteLoss(model, options),
    };
    const parts = { model, objective: sacDiscreteObjective(shape), scalars: SCALARS, numRows: 37 };
    return expectAgreement({ ...parts, ...forms, batch: (k) => batch(37, k) }, 50, 1e-4);
  });
});
