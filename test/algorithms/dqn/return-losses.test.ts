import { describe, expect, it } from 'vitest';
import { createAtoms } from '../../../algorithms/dqn/atoms.ts';
import { dqnModel, dqnObjective } from '../../../algorithms/dqn/objective.ts';
import {
  createReturnLoss,
  projectOntoSupport,
  type ReturnLoss,
} from '../../../algorithms/dqn/return-losses.ts';
import type { OpenObjective } from '../../../src/learner/objective.ts';
import type { EpsilonGreedySpec } from '../../../src/policy/distributions/epsilon-greedy.ts';
import { openFixture } from '../../reference/objective-fixture.ts';

const spec = (changes: Partial<EpsilonGreedySpec>): EpsilonGreedySpec => ({
  kind: 'epsilon-greedy',
  sizes: [3],
  numAtoms: 1,
  support: null,
  dueling: false,
  ...changes,
});

/** A loss over the rows of a thread of the SIMD engine. */
async function openLoss(
  changes: Partial<EpsilonGreedySpec>,
  kind: 'huber' | 'mse' = 'huber',
): Promise<ReturnLoss> {
  const options = {
    distribution: spec(changes),
    double: false,
    loss: kind,
    hasMasks: false,
    isWeighted: false,
    isNoisy: false,
  };
  const shape = {
    observation: { size: 3, dtype: 'float32', shape: [3], isNormalized: false },
    clipObservation: 10,
    trunk: { kind: 'mlp', hiddenSizes: [4], activation: 'tanh', layerNorm: false },
    options,
    followsByTau: false,
    maxGradNorm: null,
    adam: { adamBeta1: 0.9, adamBeta2: 0.999, adamEpsilon: 1e-8, weightDecay: 0 },
  } as const;
  let loss: ReturnLoss | undefined;
  const open: OpenObjective = (rows) => {
    loss = createReturnLoss(rows, options.distribution, kind);
    return [() => {}];
  };
  await openFixture(dqnModel(shape), dqnObjective(shape), open, 8);
  return loss as ReturnLoss;
}

describe('the projection of C51', () => {
  const p = Float64Array.of(0.1, 0.2, 0.4, 0.2, 0.1);
  it.each([
    [0.7, 0.9, [0.01, 0.13, 0.28, 0.36, 0.22]],
    [0.7, 0, [0, 0, 0.3, 0.7, 0]],
    [0.7, 0.9 ** 3, [0, 0.0816, 0.3384, 0.3942, 0.1858]],
    [1, 1, [0, 0.1, 0.2, 0.4, 0.3]], // every atom lands on another
    [5, 0.9, [0, 0, 0, 0, 1]],
    [-0.5, 0.5, [0.05, 0.45, 0.45, 0.05, 0]],
  ])('splits the mass of reward %f, discount %f among neighbours', (reward, discount, expected) => {
    const out = new Float64Array(5);
    projectOntoSupport(p, -2, 2, reward, discount, out);
    for (let j = 0; j < 5; j++) expect(out[j]).toBeCloseTo(expected[j], 12);
  });

  it('is compared by cross-entropy: ln 5 against a uniform prediction', async () => {
    const loss = await openLoss({ numAtoms: 5, support: { low: -2, high: 2 } });
    const target = [0.01, 0.13, 0.28, 0.36, 0.22];
    loss.predicted.fill(0);
    loss.targets.set(target);
    loss.compare(1);
    expect(loss.losses[0]).toBeCloseTo(1.6094379124341, 6);
    expect(loss.means[0]).toBeCloseTo(0, 6);
    expect(loss.tdErrors[0]).toBe(loss.losses[0]);
    for (let j = 0; j < 5; j++) expect(loss.gradient[j]).toBeCloseTo(0.2 - target[j], 6);
  });

  it('makes a target of the next probabilities, shifted and projected', async () => {
    const loss = await openLoss({ numAtoms: 5, support: { low: -2, high: 2 } });
    expect(loss.finishTarget(p, 1, 0.7, 0.9)).toBeCloseTo(0.65, 12);
    const row = [...loss.targets.subarray(5, 10)];
    expect(row.map((m) => Number(m.toFixed(6)))).toEqual([0.01, 0.13, 0.28, 0.36, 0.22]);
  });
});

describe('the quantile Huber loss', () => {
  it("is QR-DQN's sum over predicted quantiles, mean over targets", async () => {
    const loss = await openLoss({ numAtoms: 3 });
    loss.predicted.set([-1, 0, 2], 3);
    expect(loss.finishTarget(Float64Array.of(-1, 2, 8), 1, 0, 0.5)).toBe(1.5);
    loss.compare(2);
    expect(loss.losses[1]).toBeCloseTo(1.5833333333, 6);
    [-0.1388888889, -0.25, -0.1666666667].forEach((g, i) => {
      expect(loss.gradient[3 + i]).toBeCloseTo(g, 6);
    });
    expect(loss.means[1]).toBeCloseTo(1 / 3, 6);
    expect(loss.tdErrors[1]).toBeCloseTo(1.5 - 1 / 3, 6);
  });
});

describe('the loss of a value', () => {
  it.each([
    ['huber', 1.5, 0.125, 0.5],
    ['huber', -3, 3.5, -1],
    ['mse', -3, 16, -8],
  ] as const)('%s: %d against 1 gives %d, gradient %d', async (kind, predicted, expected, gradient) => {
    const loss = await openLoss({}, kind);
    loss.predicted[0] = predicted;
    expect(loss.finishTarget(Float64Array.of(1), 0, 0.5, 0.5)).toBe(1);
    loss.compare(1);
    expect([loss.losses[0], loss.gradient[0]]).toEqual([expected, gradient]);
    expect(loss.tdErrors[0]).toBe(Math.abs(predicted - 1));
  });
});

describe('dueling atoms', () => {
  const outputs = Float32Array.of(0, 0, 0, 0, 1, 2, -1, 0.5); // row 1: V = 1, A = 2, -1, 0.5
  const atoms = createAtoms(spec({ dueling: true }));

  it('are V + A - mean A', () => {
    const out = new Float64Array(1);
    const read = (action: number) => {
      atoms.read(outputs, 1, 0, action, out);
      return out[0];
    };
    expect([read(0), read(1), read(2)]).toEqual([2.5, -0.5, 1]);
  });

  it('let a gradient flow to V whole and to A less its mean', () => {
    const grad = new Float32Array(8);
    atoms.flowBack(Float64Array.of(3), 1, 0, 1, grad);
    expect([...grad]).toEqual([0, 0, 0, 0, 3, -1, 2, -1]);
  });
});
