import { describe, it } from 'vitest';
import { createTd3Gradient } from '../../../algorithms/td3/gradient.ts';
import { createTd3Loss } from '../../../algorithms/td3/loss.ts';
import { td3Model, td3Objective } from '../../../algorithms/td3/objective.ts';
import { expectAgreement } from '../engines-agree.ts';
import { batch, NORMALIZED, SCALARS, SHAPE } from './td3-fixture.ts';

describe('both engines learn the same TD3', () => {
  it.each([
    [2, SHAPE],
    [1, NORMALIZED],
  ])('with %i critics, fifty updates', (numCritics, base) => {
    const shape = { ...base, numCritics };
    const model = td3Model(shape);
    const forms = { open: createTd3Gradient(model, {}), losses: createTd3Loss(model, {}) };
    const parts = { model, objective: td3Objective(shape), scalars: SCALARS, numRows: 37 };
    return expectAgreement({ ...parts, ...forms, batch: (k) => batch(37, k) }, 50, 1e-4);
  });
});
