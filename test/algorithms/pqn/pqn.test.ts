import { describe, expect, it, onTestFinished } from 'vitest';
import { createPqnGradient } from '../../../algorithms/pqn/gradient.ts';
import { gatherMinibatch } from '../../../algorithms/pqn/minibatch.ts';
import { type PqnShape, pqnModel, pqnObjective } from '../../../algorithms/pqn/objective.ts';
import { PQNConfig } from '../../../src/index.ts';
import { openStream } from '../../../src/random/streams.ts';
import { computeGae } from '../../../src/targets/gae.ts';
import { emptyRollout } from '../../reference/empty-rollout.ts';
import { differences, forwardRow } from '../../reference/model-reference.ts';
import { normals, openFixture, randomModelParameters } from '../../reference/objective-fixture.ts';
import { makeActingSpec } from '../../reference/policy-specs.ts';

const shapeOf = (sizes: readonly number[], layerNorm: boolean): PqnShape => ({
  observation: { size: 4, dtype: 'float32', shape: [4], isNormalized: false },
  clipObservation: 10,
  trunk: { kind: 'mlp', hiddenSizes: [7, 5], activation: 'tanh', layerNorm },
  sizes,
  maxGradNorm: null,
  adam: { adamBeta1: 0.9, adamBeta2: 0.999, adamEpsilon: 1e-8, weightDecay: 0 },
});
const BRANCHES = shapeOf([3, 2], true);
const ONE_CHOICE = shapeOf([5], false);

describe('the closed form of PQN', () => {
  it.each([
    [1, BRANCHES],
    [33, BRANCHES],
    [70, BRANCHES],
    [37, ONE_CHOICE],
  ])('is the gradient of its loss, %i rows', async (numRows, shape) => {
    const { sizes } = shape;
    const model = pqnModel(shape);
    const objective = pqnObjective(shape);
    const { gradient, learner } = await openFixture(
      model,
      objective,
      createPqnGradient(model, { sizes }),
      numRows,
    );
    onTestFinished(() => learner.dispose());
    const parameters = randomModelParameters(model, openStream(2, 'parameters'));
    learner.writeParameters(parameters);
    const stream = openStream(3, 'actions');
    const columns = {
      observations: normals('observations', 4 * numRows),
      actions: Array.from({ length: sizes.length * numRows }, (_, k) =>
        stream.integer(sizes[k % sizes.length]),
      ),
      returns: normals('returns', numRows),
    };
    const loss = (p: Float64Array) => {
      let sum = 0;
      for (let r = 0; r < numRows; r++) {
        const outputs = forwardRow(model, p, 'q', [columns.observations.slice(4 * r, 4 * r + 4)]);
        let offset = 0; // of the branch's values
        for (const [b, size] of sizes.entries()) {
          sum += (outputs[offset + columns.actions[sizes.length * r + b]] - columns.returns[r]) ** 2;
          offset += size;
        }
      }
      return sum / (2 * sizes.length * numRows); // halves, over all branches
    };
    const expected = differences(loss, Float64Array.from(parameters), 0, parameters.length);
    const actual = gradient(0, columns, { learningRate: 0 });
    for (const [k, value] of actual.entries())
      expect(Math.abs(value - expected[k])).toBeLessThan(1e-5 * (1 + Math.abs(expected[k])));
    expect(Math.max(...actual.map(Math.abs))).toBeGreaterThan(0.01);
  });
});

describe('the returns of PQN', () => {
  it('are Q(lambda): each looks lambda of the way at the next return, and the rest at the best next value', () => {
    const spec = { ...makeActingSpec({ kind: 'categorical', sizes: [2] }), actorOnly: false };
    const rollout = emptyRollout(spec as never, 1, 4);
    rollout.rewards.set([1, 2, 3, 4]);
    rollout.values.set([10, 20, 30, 40]);
    rollout.truncated[1] = 1;
    rollout.finalValues[1] = 100;
    rollout.bootstrapValues[0] = 50;
    computeGae(rollout, { gamma: 0.5, gaeLambda: 0.5, rewardScale: 1, clipReward: Infinity });
    // G3 = 4 + .5 * 50 = 29; G2 = 3 + .5 (.5 * 40 + .5 * 29) = 20.25; G1 = 2 + .5 * 100 = 52; G0 = 1 + .5 (.5 * 20 + .5 * 52) = 19
    expect([...rollout.returns]).toEqual([19, 52, 20.25, 29]);
  });

  it('go with their samples into a minibatch', () => {
    const spec = makeActingSpec({ kind: 'categorical', sizes: [2, 2] }, { observationSize: 3 });
    const rollout = emptyRollout(spec as never, 2, 3);
    for (const column of [rollout.observations, rollout.actions, rollout.returns])
      for (let k = 0; k < column.length; k++) column[k] = k;
    const columns = {
      observations: new Float32Array(6),
      actions: new Int32Array(4),
      returns: new Float32Array(2),
    };
    gatherMinibatch(rollout, spec, Int32Array.of(4, 1), columns);
    expect([...columns.observations]).toEqual([12, 13, 14, 3, 4, 5]);
    expect([...columns.actions]).toEqual([8, 9, 2, 3]);
    expect([...columns.returns]).toEqual([4, 1]);
  });
});

it('makes a smaller last minibatch where the size does not divide the rollout', async () => {
  const algorithm = await new PQNConfig()
    .environment('CartPole-v1')
    .envRunners({ numEnvRunners: 0, numEnvs: 3, rolloutLength: 7 })
    .training({ numEpochs: 2, minibatchSize: 8, hiddenSizes: [8] })
    .build();
  onTestFinished(() => algorithm.stop());
  const { metrics, numEnvSteps } = await algorithm.train();
  expect(numEnvSteps).toBe(21);
  expect(metrics['train/numUpdates']).toBe(2 * 3); // 8, 8 and 5
});
