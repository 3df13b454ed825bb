import { describe, it } from 'vitest';
import { createSacGradient } from '../../../algorithms/sac/gradient.ts';
import { createSacLoss } from '../../../algorithms/sac/loss.ts';
import { type SacShape, sacModel, sacObjective } from '../../../algorithms/sac/objective.ts';
import { noNativeBinding } from '../../learner/tensorflow/native.ts';
import { normals } from '../../reference/objective-fixture.ts';
import { expectAgreement } from '../engines-agree.ts';
import { SHAPE } from './sac-reference.ts';

const SCALARS = {
  criticLearningRate: 1e-3,
  actorLearningRate: 1e-3,
  temperatureLearningRate: 1e-3,
  tau: 0.05,
  targetEntropy: -2,
  temperature: 0.2,
};
const NUM_ROWS = 37;

const batch = (k: number) => {
  const column = (name: string, size: number) => normals(`${name} ${k}`, size * NUM_ROWS);
  return {
    observations: column('observations', 3),
    actions: column('actions', 2).map((x) => Math.fround(Math.tanh(x))),
    rewards: column('rewards', 1),
    discounts: column('discounts', 1).map((x) => (x > 1 ? 0 : Math.fround(0.98))),
    nextObservations: column('nextObservations', 3),
    noise: column('noise', 2),
    nextNoise: column('nextNoise', 2),
  };
};

const layerNorm: SacShape = {
  ...SHAPE,
  criticTrunk: { kind: 'mlp', hiddenSizes: [6, 9], activation: 'silu', layerNorm: true },
  numCritics: 3,
  policyDelay: 2,
  maxGradNorm: 0.5,
  initialLogTemperature: null,
};

function agree(shape: SacShape, numUpdates: number, backend: 'wasm' | 'node-gpu') {
  const model = sacModel(shape);
  const parts = { model, objective: sacObjective(shape), scalars: SCALARS, numRows: NUM_ROWS, batch };
  const forms = { open: createSacGradient(model, {}), losses: createSacLoss(model, {}) };
  return expectAgreement({ ...parts, ...forms }, numUpdates, 1e-4, backend);
}

describe('both engines learn the same SAC', () => {
  it('with a learnt temperature, fifty updates', () => agree(SHAPE, 50, 'wasm'));
  it('with a fixed one, three critics, layer normalisation, a delay and clipping', () =>
    agree(layerNorm, 50, 'wasm'));
  it.skipIf(noNativeBinding !== null)('as a captured graph', () => agree(SHAPE, 50, 'node-gpu'));
});
