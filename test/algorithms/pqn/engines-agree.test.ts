import { it } from 'vitest';
import { createPqnGradient } from '../../../algorithms/pqn/gradient.ts';
import { createPqnLoss } from '../../../algorithms/pqn/loss.ts';
import { type PqnShape, pqnModel, pqnObjective } from '../../../algorithms/pqn/objective.ts';
import { openStream } from '../../../src/random/streams.ts';
import { normals } from '../../reference/objective-fixture.ts';
import { expectAgreement } from '../engines-agree.ts';

const NUM_ROWS = 37;
const shapeOf = (sizes: readonly number[], layerNorm: boolean): PqnShape => ({
  observation: { size: 4, dtype: 'float32', shape: [4], isNormalized: false },
  clipObservation: 10,
  trunk: { kind: 'mlp', hiddenSizes: [9, 7], activation: 'relu', layerNorm },
  sizes,
  maxGradNorm: layerNorm ? 0.5 : null,
  adam: { adamBeta1: 0.9, adamBeta2: 0.999, adamEpsilon: 1e-8, weightDecay: 0.01 },
});

it.each([
  ['two branches, layer normalisation, clipping', shapeOf([3, 2], true)],
  ['one choice', shapeOf([5], false)],
])('both engines learn the same PQN: %s', (_, shape) => {
  const { sizes } = shape;
  const model = pqnModel(shape);
  const options = { sizes };
  const batch = (k: number) => {
    const stream = openStream(k, 'actions');
    return {
      observations: normals(`observations ${k}`, 4 * NUM_ROWS),
      actions: Array.from({ length: sizes.length * NUM_ROWS }, (_, i) =>
        stream.integer(sizes[i % sizes.length]),
      ),
      returns: normals(`returns ${k}`, NUM_ROWS),
    };
  };
  const forms = { open: createPqnGradient(model, options), losses: createPqnLoss(model, options) };
  const parts = { model, objective: pqnObjective(shape), scalars: { learningRate: 1e-3 }, numRows: NUM_ROWS };
  return expectAgreement({ ...parts, ...forms, batch }, 50, 1e-4);
});
