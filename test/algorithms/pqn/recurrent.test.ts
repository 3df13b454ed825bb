/** Recurrent PQN: its gradient against differences of a slow float64 loss, and how a minibatch of sequences lies. Exactness: test/conformance/recurrent.test.ts. */
import { describe, expect, it } from 'vitest';
import { createPqnGradient } from '../../../algorithms/pqn/gradient.ts';
import { pqn } from '../../../algorithms/pqn/index.ts';
import { type PqnShape, pqnModel, pqnObjective } from '../../../algorithms/pqn/objective.ts';
import { createMinibatches } from '../../../algorithms/pqn/sequences.ts';
import { actingSpecOf } from '../../../src/policy/networks/acting-network.ts';
import { type ModelCell, modelLayout } from '../../../src/policy/networks/model.ts';
import { recurrentStateSize } from '../../../src/policy/networks/recurrent-state.ts';
import { openStream } from '../../../src/random/streams.ts';
import { emptyRollout } from '../../reference/empty-rollout.ts';
import { expectGradient } from '../../reference/expect-gradient.ts';
import { forwardRow } from '../../reference/model-reference.ts';
import { normals, openFixture, randomModelParameters } from '../../reference/objective-fixture.ts';
import { stepReference } from '../../reference/recurrent-reference.ts';

const SIZE = 3;
const LENGTH = 5;
const PER_BLOCK = 4;

function shapeOf(cell: ModelCell, sizes: readonly number[], layerNorm: boolean): PqnShape {
  return {
    observation: { size: SIZE, dtype: 'float32', shape: [SIZE], isNormalized: false },
    clipObservation: 10,
    trunk: { kind: 'mlp', hiddenSizes: [6], activation: 'tanh', layerNorm, cell },
    sizes,
    maxGradNorm: null,
    adam: { adamBeta1: 0.9, adamBeta2: 0.999, adamEpsilon: 1e-8, weightDecay: 0 },
  };
}

describe('the closed form of recurrent PQN', () => {
  it.each([
    ['lstm', [3], true],
    ['gru', [2, 3], false],
  ] as const)(
    'has the gradient of the float64 loss: %s, %j, layer normalisation %s',
    async (kind, sizes, layerNorm) => {
      const cell: ModelCell = { kind, size: 5 };
      const shape = shapeOf(cell, sizes, layerNorm);
      const model = pqnModel(shape);
      const distribution = {
        kind: 'epsilon-greedy',
        sizes,
        numAtoms: 1,
        support: null,
        dueling: false,
      } as const;
      const spec = actingSpecOf(model, { network: 'q', distribution, actionMaskSize: 0 });
      const S = recurrentStateSize(spec);
      const numRows = 2 * PER_BLOCK * LENGTH;
      const pick = openStream(4, 'batch');
      const stepOf = (r: number) => Math.floor((r % (PER_BLOCK * LENGTH)) / PER_BLOCK);
      const rows = Array.from({ length: numRows }, (_, r) => r);
      const columns = {
        observations: normals('observations', SIZE * numRows),
        actions: rows.flatMap(() => sizes.map((size) => pick.integer(size))),
        returns: normals('returns', numRows, 1.5),
        states: normals('states', numRows * S),
        continues: rows.map((r) => (stepOf(r) > 0 && pick.uniform() < 0.3 ? 0 : 1)),
      };
      expect(columns.continues.filter((goesOn) => goesOn === 0).length).toBeGreaterThan(4);
      const parameters = randomModelParameters(model, openStream(3, 'parameters'), 0.5);
      const sequences = { length: LENGTH, burnIn: 0, perBlock: PER_BLOCK };
      const open = createPqnGradient(model, { sizes: [...sizes] });
      const fixture = await openFixture(model, pqnObjective(shape, sequences), open, numRows);
      fixture.learner.writeParameters(parameters);
      const loss = (p: Float64Array): number => {
        let sum = 0;
        for (let s = 0; s < 2 * PER_BLOCK; s++) {
          const first = Math.floor(s / PER_BLOCK) * PER_BLOCK * LENGTH + (s % PER_BLOCK);
          let state = columns.states.slice(first * S, (first + 1) * S);
          for (let u = 0; u < LENGTH; u++) {
            const r = first + u * PER_BLOCK;
            if (u > 0 && columns.continues[r] === 0) state = state.map(() => 0);
            const { ranges } = modelLayout(model);
            const own = p.subarray(ranges.q.offset, ranges.q.offset + ranges.q.size);
            state = stepReference(spec, own, columns.observations.slice(r * SIZE, (r + 1) * SIZE), state);
            const outputs = forwardRow(model, p, 'q', [state.slice(0, cell.size)]);
            let from = 0;
            for (const [branch, size] of sizes.entries()) {
              const value = outputs[from + columns.actions[r * sizes.length + branch]];
              sum += (value - columns.returns[r]) ** 2 / (2 * sizes.length * numRows);
              from += size;
            }
          }
        }
        return sum;
      };
      const gradient = fixture.gradient(0, columns, { learningRate: 1e-3 });
      expectGradient(gradient, modelLayout(model).ranges.q, loss, Float64Array.from(parameters), 'q');
    },
  );
});

describe('a minibatch of sequences', () => {
  it('has their steps side by side, the states that they began with, and no state over the end of an episode', () => {
    const training = { recurrent: 'gru', recurrentSize: 1, sequenceLength: 3, minibatchSize: 12 };
    const environment = { env: 'CartPole-v1' };
    const config = pqn.resolve([
      { values: { environment, envRunners: { numEnvs: 4, rolloutLength: 6 }, training } },
    ]);
    const shape = shapeOf({ kind: 'gru', size: 1 }, [2], true);
    const distribution = {
      kind: 'epsilon-greedy',
      sizes: [2],
      numAtoms: 1,
      support: null,
      dueling: false,
    } as const;
    const spec = actingSpecOf(pqnModel(shape), { network: 'q', distribution, actionMaskSize: 0 });
    const rollout = emptyRollout(spec as never, 4, 6, {
      values: true,
      finalObservations: false,
      sequenceLength: 3,
    });
    rollout.observations.forEach((_, k) => {
      rollout.observations[k] = Math.floor(k / SIZE); // tells its step
    });
    rollout.recurrentStates.set([0, 1, 2, 3, 4, 5, 6, 7]); // tells its sequence
    rollout.terminated[13] = 1;
    rollout.truncated[20] = 1; // a sequence's last step: the next one's state says so itself
    const minibatches = createMinibatches(config, spec);
    expect([minibatches.numItems, minibatches.perBatch, minibatches.stepsPerItem]).toEqual([8, 4, 3]);
    const columns = {
      observations: new Float32Array(12 * SIZE),
      actions: new Int32Array(12),
      returns: new Float32Array(12),
      states: new Float32Array(12),
      continues: new Int32Array(12),
    };
    minibatches.fill(rollout, Int32Array.of(4, 0, 7, 6), columns);
    const seen = Array.from({ length: 12 }, (_, r) => columns.observations[r * SIZE]);
    expect(seen).toEqual([12, 0, 21, 18, 13, 1, 22, 19, 14, 2, 23, 20]);
    expect([...columns.states.subarray(0, 4)]).toEqual([4, 0, 7, 6]);
    expect([...columns.continues]).toEqual([1, 1, 1, 1, 1, 1, 1, 1, 0, 1, 1, 1]);
  });
});
