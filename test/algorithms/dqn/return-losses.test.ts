import { describe, expect, it } from 'vitest';
import { createAtoms } from '../../../algorithms/dqn/atoms.ts';
import {
  createReturnLoss,
  projectOntoSupport,
  quantileHuber,
} from '../../../algorithms/dqn/return-losses.ts';
import type { EpsilonGreedySpec } from '../../../src/policy/distributions/epsilon-greedy.ts';

const spec = (changes: Partial<EpsilonGreedySpec>): EpsilonGreedySpec => ({
  kind: 'epsilon-greedy',
  sizes: [3],
  numAtoms: 1,
  support: null,
  dueling: false,
  ...changes,
});

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

  it('is compared by cross-entropy: ln 5 against a uniform prediction', () => {
    const loss = createReturnLoss(spec({ numAtoms: 5, support: { low: -2, high: 2 } }), 'huber');
    const target = Float64Array.of(0.01, 0.13, 0.28, 0.36, 0.22);
    const gradient = new Float64Array(5);
    const result = loss.compare(new Float64Array(5), target, gradient);
    expect(result.loss).toBeCloseTo(1.6094379124341, 12);
    expect(result.mean).toBeCloseTo(0, 12);
    for (let j = 0; j < 5; j++) expect(gradient[j]).toBeCloseTo(0.2 - target[j], 12);
  });

  it('makes a target of logits: their probabilities, shifted and projected', () => {
    const loss = createReturnLoss(spec({ numAtoms: 5, support: { low: -2, high: 2 } }), 'huber');
    const sum = new Float64Array(5);
    loss.accumulate(Float64Array.from(p, Math.log), 1, sum);
    expect(loss.finishTarget(sum, 0.7, 0.9)).toBeCloseTo(0.65, 12);
    expect([...sum].map((m) => Number(m.toFixed(9)))).toEqual([0.01, 0.13, 0.28, 0.36, 0.22]);
  });
});

describe('the quantile Huber loss', () => {
  const theta = Float64Array.of(-1, 0, 2);
  const targets = Float64Array.of(-0.5, 1, 4);

  it("is QR-DQN's sum over predicted quantiles, mean over targets", () => {
    const gradient = new Float64Array(3);
    const result = createReturnLoss(spec({ numAtoms: 3 }), 'huber').compare(theta, targets, gradient);
    expect(result.loss).toBeCloseTo(1.5833333333, 9);
    [-0.1388888889, -0.25, -0.1666666667].forEach((g, i) => void expect(gradient[i]).toBeCloseTo(g, 9));
  });

  it("is TQC's mean over both, over the first targets", () => {
    const gradient = new Float64Array(3);
    expect(quantileHuber(theta, targets, 3, gradient)).toBeCloseTo(0.5277777778, 9);
    // pair losses of the reference's table, without the last target
    const pairs = 0.020833333 + 0.25 + 0.0625 + 0.25 + 0.333333333 + 0.083333333;
    expect(quantileHuber(theta, targets, 2, gradient)).toBeCloseTo(pairs / 6, 8);
  });
});

describe('the loss of a value', () => {
  it('is smooth L1 with its corner at 1, or the square', () => {
    const gradient = new Float64Array(1);
    const huber = createReturnLoss(spec({}), 'huber');
    expect(huber.compare(Float64Array.of(1.5), Float64Array.of(1), gradient).loss).toBe(0.125);
    expect(gradient[0]).toBe(0.5);
    expect(huber.compare(Float64Array.of(-3), Float64Array.of(1), gradient).loss).toBe(3.5);
    expect(gradient[0]).toBe(-1);
    expect(
      createReturnLoss(spec({}), 'mse').compare(Float64Array.of(-3), Float64Array.of(1), gradient).loss,
    ).toBe(16);
    expect(gradient[0]).toBe(-8);
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
