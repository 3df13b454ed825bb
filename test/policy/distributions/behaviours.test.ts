import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createBehaviour } from '../../../src/policy/distributions/behaviour.ts';
import {
  createActionValues,
  type EpsilonGreedySpec,
  epsilonGreedyOutputSize,
} from '../../../src/policy/distributions/epsilon-greedy.ts';
import { createRandomActions } from '../../../src/policy/distributions/random-action.ts';
import type { BehaviourSpec } from '../../../src/policy/policy-spec.ts';
import type { RowCall } from '../../../src/weights/exploration.ts';

const greedy = (sizes: number[], options: Partial<EpsilonGreedySpec> = {}): EpsilonGreedySpec => ({
  kind: 'epsilon-greedy',
  sizes,
  numAtoms: 1,
  support: null,
  dueling: false,
  ...options,
});
const bounds = { low: [-2, 0], high: [2, 1] };

/** Everything lies behind two elements of something else, so that offsets count. */
function rowCall(
  outputs: number[],
  options: Partial<RowCall> & { numbers?: number[]; mask?: number[] } = {},
): RowCall {
  const { numbers = [], mask, ...rest } = options;
  return {
    outputs: Float32Array.of(9, -9, ...outputs),
    outputOffset: 2,
    masks: mask === undefined ? null : Uint8Array.of(0, 0, ...mask),
    maskOffset: 2,
    noise: Float32Array.of(9, -9, ...numbers),
    noiseOffset: 2,
    latent: new Float32Array(0),
    latentOffset: 0,
    logStd: new Float32Array(0),
    logStdOffset: 0,
    actions: new Int32Array(8).fill(-1),
    actionOffset: 1,
    epsilon: 0,
    noiseStd: 0,
    deterministic: false,
    ...rest,
  };
}

function act(distribution: BehaviourSpec, call: RowCall, numActions: number): number[] {
  createBehaviour(distribution, 2).sample(call);
  return [...call.actions.subarray(1, 1 + numActions)];
}

function valuesOf(distribution: EpsilonGreedySpec, outputs: number[]): number[] {
  expect(epsilonGreedyOutputSize(distribution)).toBe(outputs.length);
  const values = new Float64Array(distribution.sizes.reduce((a, b) => a + b, 0));
  createActionValues(distribution)(Float32Array.of(5, ...outputs), 1, values);
  return [...values];
}

describe('action values', () => {
  it('are the outputs themselves with one atom', () => {
    expect(valuesOf(greedy([3]), [1, -2, 0.5])).toEqual([1, -2, 0.5]);
  });

  it('of a dueling network: V + A - mean A, in each branch', () => {
    // V = 10; A = 1, 2, 6 (mean 3) and 0, 4 (mean 2)
    expect(valuesOf(greedy([3, 2], { dueling: true }), [10, 1, 2, 6, 0, 4])).toEqual([8, 9, 13, 8, 12]);
  });

  it('of quantiles: their mean', () => {
    expect(valuesOf(greedy([2], { numAtoms: 3 }), [1, 2, 6, -1, 0, 4])).toEqual([3, 1]);
  });

  it('of C51: the expectation over the atoms', () => {
    // z = -2, 0, 2; probabilities 1/4, 1/2, 1/4 and 1/4, 1/4, 1/2
    const support = { low: -2, high: 2 };
    const logits = [0, Math.LN2, 0, 0, 0, Math.LN2];
    const [first, second] = valuesOf(greedy([2], { numAtoms: 3, support }), logits);
    expect(first).toBeCloseTo(0, 6);
    expect(second).toBeCloseTo(0.5, 6);
  });

  it('of a dueling C51: logits are V_j + A_aj - mean_a A_aj', () => {
    // V = 0, 0; A_0 = ln 9, 0; A_1 = 0, 0; mean = ln 3, 0; logits ln 3, 0 and -ln 3, 0; z = 0, 1
    const spec = greedy([2], { numAtoms: 2, support: { low: 0, high: 1 }, dueling: true });
    const [first, second] = valuesOf(spec, [0, 0, Math.log(9), 0, 0, 0]);
    expect(first).toBeCloseTo(1 / 4, 6);
    expect(second).toBeCloseTo(3 / 4, 6);
  });

  it('do not overflow for large logits', () => {
    const spec = greedy([1], { numAtoms: 2, support: { low: -1, high: 3 } });
    expect(valuesOf(spec, [5000, 5000])[0]).toBeCloseTo(1, 6);
  });
});

describe('epsilon-greedy', () => {
  it('takes the first of equal best actions', () => {
    expect(act(greedy([4]), rowCall([1, 3, 3, 2], { numbers: [0.5, 0] }), 1)).toEqual([1]);
  });

  it('tosses a coin for each branch', () => {
    // below epsilon = 0.3: random, the floor(0.9 * 3) = 2nd; not below: greedy
    const call = rowCall([5, 1, 0, 1, 7], { numbers: [0.29, 0.9, 0.3, 0.1], epsilon: 0.3 });
    expect(act(greedy([3, 2]), call, 2)).toEqual([2, 1]);
  });

  it('explores nothing where it is deterministic', () => {
    const call = rowCall([5, 1, 0], { numbers: [0, 0.9], epsilon: 1, deterministic: true });
    expect(act(greedy([3]), call, 1)).toEqual([0]);
  });

  it('never takes a forbidden action, whatever the noise', () => {
    const unit = fc.double({ min: 0, max: 1, noNaN: true });
    const mask = fc.array(fc.constantFrom(0, 1), { minLength: 5, maxLength: 5 });
    const values = fc.array(fc.float({ noNaN: true, noDefaultInfinity: true }), {
      minLength: 5,
      maxLength: 5,
    });
    fc.assert(
      fc.property(
        values,
        mask,
        fc.array(unit, { minLength: 4, maxLength: 4 }),
        unit,
        (outputs, bits, numbers, epsilon) => {
          bits[0] = 1; // one of each branch
          bits[4] = 1;
          const call = rowCall(outputs, { mask: bits, numbers, epsilon });
          const [first, second] = act(greedy([3, 2]), call, 2);
          expect(bits[first]).toBe(1);
          expect(bits[3 + second]).toBe(1);
        },
      ),
    );
  });

  it('chooses evenly among what is allowed', () => {
    const counts = [0, 0, 0, 0];
    for (let k = 0; k < 300; k++) {
      const call = rowCall([0, 0, 0, 0], { mask: [1, 0, 1, 1], numbers: [0, (k + 0.5) / 300], epsilon: 1 });
      counts[act(greedy([4]), call, 1)[0]] += 1;
    }
    expect(counts).toEqual([100, 0, 100, 100]);
  });

  it('values a row by its best allowed actions, averaged over branches', () => {
    const { value } = createBehaviour(greedy([3, 2]), 0);
    expect(value?.(rowCall([9, 4, 1, 2, -1], { mask: [0, 1, 1, 1, 1] }))).toBe((4 + 2) / 2);
  });
});

describe('continuous behaviours', () => {
  it('squashed-gaussian: tanh(mean + std e), log deviations clamped to [-20, 2]', () => {
    const spec: BehaviourSpec = { kind: 'squashed-gaussian', size: 2, ...bounds };
    const outputs = [0.5, -1, Math.log(0.5), 7];
    const floats = () => new Float32Array(8);
    const sampled = act(spec, rowCall(outputs, { numbers: [0.6, 0.1, 9, 9], actions: floats() }), 2);
    expect(sampled[0]).toBeCloseTo(Math.tanh(0.5 + 0.5 * 0.6), 6);
    expect(sampled[1]).toBeCloseTo(Math.tanh(-1 + Math.exp(2) * 0.1), 6);
    const mode = act(spec, rowCall(outputs, { actions: floats(), deterministic: true }), 2);
    expect(mode).toEqual([Math.tanh(0.5), Math.tanh(-1)].map(Math.fround));
  });

  it('deterministic-tanh: clip(tanh(o) + noiseStd e, -1, 1)', () => {
    const spec: BehaviourSpec = { kind: 'deterministic-tanh', size: 2, ornsteinUhlenbeck: null, ...bounds };
    const options = { numbers: [0.5, 30, 9, 9], noiseStd: 0.1, actions: new Float32Array(8) };
    const sampled = act(spec, rowCall([0.2, -3], options), 2);
    expect(sampled[0]).toBeCloseTo(Math.tanh(0.2) + 0.05, 6);
    expect(sampled[1]).toBe(1);
    const mode = act(spec, rowCall([0.2, -3], { ...options, deterministic: true }), 2);
    expect(mode).toEqual([Math.tanh(Math.fround(0.2)), Math.tanh(-3)].map(Math.fround));
  });

  it('squashed-gsde: clipped mean + latent * exp(logStd) * e', () => {
    const spec: BehaviourSpec = { kind: 'squashed-gsde', size: 2, sampleFrequency: -1, ...bounds };
    const call = rowCall([0.25, -5], {
      numbers: [1, 2, -1, 0.5, 9, 9], // e [H = 2, A = 2], then the uniforms
      latent: Float32Array.of(7, 0.5, 2),
      latentOffset: 1,
      logStd: Float32Array.of(7, 7, Math.log(0.5), 0, Math.log(0.1), -1),
      logStdOffset: 2,
      actions: new Float32Array(8),
    });
    const [first, second] = act(spec, call, 2);
    expect(first).toBeCloseTo(Math.tanh(0.25 + 0.5 * 0.5 * 1 + 2 * 0.1 * -1), 6);
    expect(second).toBeCloseTo(Math.tanh(-2 + 0.5 * 1 * 2 + 2 * Math.exp(-1) * 0.5), 6);
  });
});

describe('random actions', () => {
  it('are 2u - 1 of the uniforms that stand last', () => {
    const sample = createRandomActions({ kind: 'squashed-gaussian', size: 2, ...bounds }, 4);
    const call = rowCall([], { numbers: [3, -3, 0.25, 1], actions: new Float32Array(8) });
    sample?.(call);
    expect([...call.actions.subarray(1, 3)]).toEqual([-0.5, 1]);
  });

  it('hold the mask', () => {
    const sample = createRandomActions({ kind: 'categorical', sizes: [3] }, 1);
    const call = rowCall([], { numbers: [0.6], mask: [1, 0, 1] });
    sample?.(call);
    expect(call.actions[1]).toBe(2);
  });

  it('there are none where stored actions have no bounds', () => {
    expect(createRandomActions({ kind: 'gaussian', size: 2, squash: false, ...bounds }, 2)).toBeNull();
  });
});
