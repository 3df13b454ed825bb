/** Recurrent DQN's gradient against differences of a slow float64 loss, row by row through the cell. */
import { describe, expect, it } from 'vitest';
import { createDqnSequenceGradient } from '../../../algorithms/dqn/gradient.ts';
import { type DqnShape, dqnModel } from '../../../algorithms/dqn/objective.ts';
import { dqnSequenceObjective, sequenceLossOptions } from '../../../algorithms/dqn/sequence-objective.ts';
import type { SequenceRows } from '../../../src/learner/objective.ts';
import { actingSpecOf } from '../../../src/policy/networks/acting-network.ts';
import { type ModelCell, modelLayout } from '../../../src/policy/networks/model.ts';
import { recurrentStateSize } from '../../../src/policy/networks/recurrent-state.ts';
import { openStream } from '../../../src/random/streams.ts';
import { expectGradient } from '../../reference/expect-gradient.ts';
import { forwardRow } from '../../reference/model-reference.ts';
import {
  type Columns,
  normals,
  openFixture,
  randomModelParameters,
} from '../../reference/objective-fixture.ts';
import { stepReference } from '../../reference/recurrent-reference.ts';

const SIZE = 3;
const SCALARS = { learningRate: 1e-3 };

function shapeOf(
  options: Partial<DqnShape['options']>,
  sizes: readonly number[],
  dueling: boolean,
): DqnShape {
  return {
    observation: { size: SIZE, dtype: 'float32', shape: [SIZE], isNormalized: false },
    clipObservation: 10,
    trunk: { kind: 'mlp', hiddenSizes: [6], activation: 'tanh', layerNorm: false },
    options: {
      distribution: { kind: 'epsilon-greedy', sizes, numAtoms: 1, support: null, dueling },
      ...{ double: false, loss: 'huber', hasMasks: false, isWeighted: false, isNoisy: false },
      ...options,
    },
    followsByTau: false,
    maxGradNorm: null,
    adam: { adamBeta1: 0.9, adamBeta2: 0.999, adamEpsilon: 1e-8, weightDecay: 0 },
  };
}

/** Two blocks of sequences with ends inside, one right behind the burn-in; some rows are not learnt. */
function batchOf(
  { options }: DqnShape,
  cell: ModelCell,
  { length, burnIn, perBlock }: SequenceRows,
): Columns {
  const numRows = 2 * perBlock * length;
  const { sizes } = options.distribution;
  const numActions = sizes.reduce((sum, size) => sum + size, 0);
  const pick = openStream(11, 'sequences');
  const rows = Array.from({ length: numRows }, (_, r) => ({
    u: Math.floor((r % (perBlock * length)) / perBlock),
    p: r % perBlock,
  }));
  const isLearnt = rows.map(({ u }) => u >= burnIn && u < length - 2 && pick.uniform() < 0.8);
  return {
    observations: normals('observations', SIZE * numRows),
    actions: rows.flatMap(() => sizes.map((size) => pick.integer(size))),
    rewards: normals('rewards', numRows, 1.5),
    discounts: rows.map((_, r) => (isLearnt[r] && pick.uniform() < 0.8 ? Math.fround(0.97) : 0)),
    bootstraps: rows.map(() => 1 + pick.integer(2)),
    weights: isLearnt.map((learnt) => (learnt ? 1.25 : 0)),
    ...(options.isWeighted && { importance: rows.map(({ p }) => Math.fround(0.3 + 0.2 * p)) }),
    masks: rows.flatMap(() =>
      Array.from({ length: numActions }, (_, a) =>
        a === 0 || a === sizes[0] || pick.uniform() < 0.5 ? 1 : 0,
      ),
    ),
    states: normals('states', numRows * cell.size * (cell.kind === 'lstm' ? 2 : 1)),
    continues: rows.map(({ u, p }) => ((p === 1 && u === burnIn) || (u > 0 && pick.uniform() < 0.2) ? 0 : 1)),
  };
}

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

/** The loss as a function of the online parameters, straight from the equations; burn-in, choices and targets are of `fixed`. */
function lossOf(
  shape: DqnShape,
  cell: ModelCell,
  sequences: SequenceRows,
  columns: Columns,
  fixed: Float64Array,
) {
  const trunk = shape.trunk.kind === 'mlp' ? { ...shape.trunk, cell } : shape.trunk;
  const model = dqnModel({ ...shape, trunk });
  const { ranges } = modelLayout(model);
  const { distribution, double, loss, hasMasks } = shape.options;
  const { sizes, dueling } = distribution;
  const spec = actingSpecOf(model, { network: 'q', distribution, actionMaskSize: 0 });
  const S = recurrentStateSize(spec);
  const { length, burnIn, perBlock } = sequences;
  const numRows = columns.weights.length;
  const rowOf = (s: number, u: number) =>
    Math.floor(s / perBlock) * perBlock * length + u * perBlock + (s % perBlock);
  const part = (p: Float64Array, name: string) =>
    p.subarray(ranges[name].offset, ranges[name].offset + ranges[name].size);
  /** Values [row][branch][action]. */
  const valuesOf = (p: Float64Array, name: string): number[][][] => {
    const values: number[][][] = [];
    for (let s = 0; s < numRows / length; s++) {
      let state = columns.states.slice(rowOf(s, 0) * S, (rowOf(s, 0) + 1) * S);
      for (let u = 0; u < length; u++) {
        const r = rowOf(s, u);
        if (u > 0 && columns.continues[r] === 0) state = state.map(() => 0);
        const x = columns.observations.slice(r * SIZE, (r + 1) * SIZE);
        state = stepReference(spec, part(u < burnIn ? fixed : p, name), x, state);
        const outputs = forwardRow(model, p, name, [state.slice(0, cell.size)]);
        let next = dueling ? 1 : 0;
        values[r] = sizes.map((size) => {
          const advantages = Array.from({ length: size }, () => outputs[next++]);
          return dueling ? advantages.map((a) => outputs[0] + a - mean(advantages)) : advantages;
        });
      }
    }
    return values;
  };
  const target = valuesOf(fixed, 'target/q');
  const choosing = double ? valuesOf(fixed, 'q') : target;
  const numActions = sizes.reduce((sum, size) => sum + size, 0);
  const goals = target.map((_, r) => {
    if (columns.discounts[r] === 0) return columns.rewards[r];
    const b = r + columns.bootstraps[r] * perBlock;
    let first = 0;
    const worth = sizes.map((size, branch) => {
      const from = first;
      first += size;
      const allowed = choosing[b][branch].map((value, a) =>
        hasMasks && columns.masks[b * numActions + from + a] === 0 ? Number.NEGATIVE_INFINITY : value,
      );
      return target[b][branch][allowed.indexOf(Math.max(...allowed))];
    });
    return columns.rewards[r] + columns.discounts[r] * mean(worth);
  });
  const penalty = (x: number) => {
    if (loss === 'mse') return x * x;
    return Math.abs(x) <= 1 ? 0.5 * x * x : Math.abs(x) - 0.5;
  };
  return (p: Float64Array): number => {
    const online = valuesOf(p, 'q');
    let sum = 0;
    for (let r = 0; r < numRows; r++) {
      if (columns.weights[r] === 0) continue;
      const errors = sizes.map((_, k) =>
        penalty(online[r][k][columns.actions[r * sizes.length + k]] - goals[r]),
      );
      sum += (columns.weights[r] * (columns.importance?.[r] ?? 1) * mean(errors)) / numRows;
    }
    return sum;
  };
}

describe('the closed form of recurrent DQN', () => {
  it.each([
    ['lstm', 3, { double: true, hasMasks: true }, [3], true],
    ['lstm', 0, { loss: 'mse' }, [3, 2], false],
    ['gru', 2, { double: true }, [2], false],
    ['gru', 0, { hasMasks: true }, [2, 3], true],
    ['lstm', 2, { double: true, isWeighted: true }, [3], false],
  ] as const)(
    'has the gradient of the float64 loss: %s, burn-in %i, %j',
    async (kind, burnIn, options, sizes, dueling) => {
      const cell: ModelCell = { kind, size: 5 };
      const shape = shapeOf(options, sizes, dueling);
      const sequences = { length: burnIn + 6, burnIn, perBlock: 4 };
      const trunk = shape.trunk.kind === 'mlp' ? { ...shape.trunk, cell } : shape.trunk;
      const model = dqnModel({ ...shape, trunk });
      const columns = batchOf(shape, cell, sequences);
      const parameters = randomModelParameters(model, openStream(3, 'parameters'), 0.5);
      const open = createDqnSequenceGradient(model, sequenceLossOptions(shape, sequences));
      const objective = dqnSequenceObjective(shape, cell, sequences);
      const fixture = await openFixture(model, objective, open, columns.weights.length);
      fixture.learner.writeParameters(parameters);
      const p = Float64Array.from(parameters);
      const gradient = fixture.gradient(0, columns, SCALARS);
      expectGradient(
        gradient,
        modelLayout(model).ranges.q,
        lossOf(shape, cell, sequences, columns, p),
        p,
        'q',
      );
      expect(columns.continues.filter((goesOn) => goesOn === 0).length).toBeGreaterThan(4);
    },
  );
});
