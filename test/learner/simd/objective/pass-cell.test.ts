/** A recurrent network that several passes of one closed form go through. */
import { expect, it } from 'vitest';
import {
  type ObjectiveSpec,
  type OpenObjective,
  sequenceColumns,
} from '../../../../src/learner/objective.ts';
import { type ModelSpec, modelLayout } from '../../../../src/policy/networks/model.ts';
import { openStream } from '../../../../src/random/streams.ts';
import { normals, openFixture, randomModelParameters } from '../../../reference/objective-fixture.ts';

const NUM_ROWS = 4 * 5;

function modelOf(kind: 'lstm' | 'gru'): ModelSpec {
  const trunk = { kind: 'mlp', hiddenSizes: [6], activation: 'tanh', layerNorm: false } as const;
  return {
    inputs: { observations: { size: 3, dtype: 'float32', shape: [3], isNormalized: false } },
    networks: { q: { inputs: ['observations'], trunk: { ...trunk, cell: { kind, size: 5 } }, outputs: 2 } },
    ...{ free: {}, targets: {}, clipObservation: 10 },
  };
}

function objectiveOf(kind: 'lstm' | 'gru'): ObjectiveSpec {
  const adam = { adamBeta1: 0.9, adamBeta2: 0.999, adamEpsilon: 1e-8, weightDecay: 0 };
  return {
    columns: [
      { name: 'observations', dtype: 'float32', size: 3 },
      ...sequenceColumns(kind === 'lstm' ? 10 : 5),
    ],
    rowOutputs: [],
    groups: [{ name: 'q', networks: ['q'], learningRate: 'learningRate', maxGradNorm: null, ...adam }],
    steps: [{ name: 'q', groups: ['q'], every: 1, blends: [], stats: [] }],
    scalars: ['learningRate'],
    sequences: { length: 5, burnIn: 1, perBlock: 4 },
  };
}

/** Of the sum of all outputs, in equal shares through so many passes. */
const inPasses =
  (numPasses: number): OpenObjective =>
  (rows) => {
    const options = { network: 'q', inputs: ['observations'], gradient: 'parameters' } as const;
    const passes = Array.from({ length: numPasses }, () => rows.pass(options));
    return [
      (numRows) => {
        for (const pass of passes) {
          pass.forward(numRows);
          pass.gradOutputs.fill(1 / numPasses);
          pass.backward(numRows);
        }
      },
    ];
  };

it.each(['lstm', 'gru'] as const)(
  '%s: shares of a loss through two passes have the gradient of one',
  async (kind) => {
    const model = modelOf(kind);
    const parameters = randomModelParameters(model, openStream(3, 'parameters'), 0.5);
    const columns = {
      observations: normals('observations', 3 * NUM_ROWS),
      states: normals('states', 10 * NUM_ROWS).slice(0, (kind === 'lstm' ? 10 : 5) * NUM_ROWS),
      continues: Array.from({ length: NUM_ROWS }, () => 1),
    };
    const gradientOf = async (numPasses: number) => {
      const { learner, gradient } = await openFixture(
        model,
        objectiveOf(kind),
        inPasses(numPasses),
        NUM_ROWS,
      );
      learner.writeParameters(parameters);
      return gradient(0, columns, { learningRate: 1e-3 });
    };
    const [one, two] = [await gradientOf(1), await gradientOf(2)];
    const { offset, size } = modelLayout(model).ranges.q;
    for (let k = offset; k < offset + size; k++) expect(two[k]).toBeCloseTo(one[k], 4);
    expect(Math.max(...one.map(Math.abs))).toBeGreaterThan(1);
  },
);
