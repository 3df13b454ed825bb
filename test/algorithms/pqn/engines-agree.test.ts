import { it } from 'vitest';
import { createPqnGradient } from '../../../algorithms/pqn/gradient.ts';
import { createPqnLoss } from '../../../algorithms/pqn/loss.ts';
import { type PqnShape, pqnModel, pqnObjective } from '../../../algorithms/pqn/objective.ts';
import { openStream } from '../../../src/random/streams.ts';
import { normals } from '../../reference/objective-fixture.ts';
import { expectAgreement } from '../engines-agree.ts';

const SIZES = [3, 2];
const NUM_ROWS = 37;
const SHAPE: PqnShape = {
  observation: { size: 4, dtype: 'float32', shape: [4], isNormalized: false },
  clipObservation: 10,
  trunk: { kind: 'mlp', hiddenSizes: [9, 7], activation: 'relu', layerNorm: true },
  sizes: SIZES,
  maxGradNorm: 0.5,
  adam: { adamBeta1: 0.9, adamBeta2: 0.999, adamEpsilon: 1e-8, weightDecay: 0.01 },
};

it('both engines learn the same PQN', () => {
  const model = pqnModel(SHAPE);
  const options = { sizes: SIZES };
  const batch = (k: number) => {
    const stream = openStream(k, 'actions');
    return {
      observations: normals(`observations ${k}`, 4 * NUM_ROWS),
      actions: Array.from({ length: 2 * NUM_ROWS }, (_, i) => stream.integer(SIZES[i % 2])),
      returns: normals(`returns ${k}`, NUM_ROWS),
    };
  };
  const forms = { open: createPqnGradient(model, options), losses: createPqnLoss(model, options) };
  const parts = { model, objective: pqnObjective(SHAPE), scalars: { learningRate: 1e-3 }, numRows: NUM_ROWS };
  return expectAgreement({ ...parts, ...forms, batch }, 20, 1e-4);
});
