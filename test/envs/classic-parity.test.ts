/** Step by step against golden data from Gymnasium; tolerances after what NumPy's and V8's sine and cosine differ by. */
import { describe, expect, it } from 'vitest';
import { acrobotKernel } from '../../envs/acrobot.ts';
import { cartPoleKernel } from '../../envs/cart-pole.ts';
import { mountainCarKernel } from '../../envs/mountain-car.ts';
import { mountainCarContinuousKernel } from '../../envs/mountain-car-continuous.ts';
import { pendulumKernel } from '../../envs/pendulum.ts';
import type { EnvKernel, EnvKernelFactory } from '../../src/env/env-kernel.ts';
import { flatSize } from '../../src/env/flatten-space.ts';
import { type ClassicFixture, doubles, readFixture } from './fixtures.ts';

interface Case {
  readonly name: string;
  readonly create: EnvKernelFactory;
  /** Largest difference of a state component after one step. */
  readonly stepTolerance: number;
  /** ... of a reward. */
  readonly rewardTolerance: number;
  /** ... of a state component over a whole free rollout. */
  readonly rolloutTolerance: number;
  /** What `setState` wants beside the numbers of Gymnasium's state. */
  readonly stateTail: (t: number) => number[];
}
const none = () => [];
const CASES: Case[] = [
  {
    name: 'cart-pole',
    create: cartPoleKernel,
    stepTolerance: 1e-12,
    rewardTolerance: 0,
    rolloutTolerance: 1e-9,
    stateTail: none,
  },
  {
    name: 'pendulum',
    create: pendulumKernel,
    stepTolerance: 1e-12,
    rewardTolerance: 1e-9,
    rolloutTolerance: 1e-9,
    stateTail: none,
  },
  {
    name: 'mountain-car',
    create: mountainCarKernel,
    stepTolerance: 1e-12,
    rewardTolerance: 0,
    rolloutTolerance: 1e-9,
    stateTail: none,
  },
  // Bit for bit: where the arithmetic is float32, one last bit would be 1e-8.
  {
    name: 'mountain-car-continuous',
    create: mountainCarContinuousKernel,
    stepTolerance: 0,
    rewardTolerance: 0,
    rolloutTolerance: 0,
    stateTail: (t) => [t === 0 ? 1 : 0],
  },
  {
    name: 'acrobot',
    create: acrobotKernel,
    stepTolerance: 1e-12,
    rewardTolerance: 0,
    rolloutTolerance: 1e-6,
    stateTail: none,
  },
];

describe.each(CASES)(
  '$name',
  ({ name, create, stepTolerance, rewardTolerance, rolloutTolerance, stateTail }) => {
    const fixture = readFixture<ClassicFixture>(name);
    const { stateSize } = fixture;
    const kernel = create(1, { resetRng: 'numpy' });
    const action = kernel.actionSpace.kind === 'box' ? new Float32Array(1) : new Int32Array(1);
    const state = () => (kernel.getState!(0) as number[]).slice(0, stateSize);
    const act = (value: number) => {
      action[0] = value;
      kernel.step(0, action, 0);
    };

    it('was recorded with NumPy 2', () => {
      expect(Number(fixture.header.numpy.split('.')[0])).toBeGreaterThanOrEqual(2);
      expect(fixture.envId).toBe(kernel.envId);
    });

    it('resets to the same state, bit for bit', () => {
      for (const { seed, state: expected, observation } of fixture.resets) {
        if (BigInt(seed) > Number.MAX_SAFE_INTEGER) continue; // numpy-random.test.ts has those
        kernel.reset(0, Number(seed));
        expect(state()).toEqual([...doubles(expected)]);
        expect(observed(kernel)).toEqual(Float32Array.from(doubles(observation)));
      }
    });

    it('steps alike from every recorded state', () => {
      for (const rollout of fixture.rollouts) {
        const states = doubles(rollout.states);
        const actions = doubles(rollout.actions);
        const rewards = doubles(rollout.rewards);
        for (let t = 0; t < actions.length; t++) {
          const at = (k: number) => [...states.subarray(k * stateSize, (k + 1) * stateSize)];
          kernel.setState?.(0, [...at(t), ...stateTail(t)]);
          act(actions[t]);
          expectClose(state(), at(t + 1), stepTolerance);
          expectClose([kernel.rewards[0]], [rewards[t]], rewardTolerance);
          const isLast = t === actions.length - 1;
          expect(kernel.terminated[0]).toBe(isLast && rollout.terminated ? 1 : 0);
        }
      }
    });

    it('steps alike at the boundaries', () => {
      const { singles } = fixture;
      const states = doubles(singles.states);
      const nextStates = doubles(singles.nextStates);
      const actions = doubles(singles.actions);
      const rewards = doubles(singles.rewards);
      expect(new Set(singles.terminated).size).toBe(name === 'pendulum' ? 1 : 2);
      for (let k = 0; k < actions.length; k++) {
        const range = [k * stateSize, (k + 1) * stateSize] as const;
        kernel.setState?.(0, [...states.subarray(...range), ...stateTail(0)]);
        act(actions[k]);
        expectClose(state(), [...nextStates.subarray(...range)], stepTolerance);
        expectClose([kernel.rewards[0]], [rewards[k]], rewardTolerance);
        expect(kernel.terminated[0]).toBe(singles.terminated[k]);
      }
    });

    it('rolls out alike from the seed, to the same end', () => {
      let numEnds = 0;
      for (const rollout of fixture.rollouts) {
        if (BigInt(rollout.seed) > Number.MAX_SAFE_INTEGER) continue;
        const states = doubles(rollout.states);
        const actions = doubles(rollout.actions);
        const rewards = doubles(rollout.rewards);
        kernel.reset(0, Number(rollout.seed));
        for (let t = 0; t < actions.length; t++) {
          act(actions[t]);
          expectClose(
            state(),
            [...states.subarray((t + 1) * stateSize, (t + 2) * stateSize)],
            rolloutTolerance,
          );
          expectClose(
            [kernel.rewards[0]],
            [rewards[t]],
            Math.max(rewardTolerance, name === 'pendulum' ? 1e-9 : 0),
          );
        }
        expect(kernel.terminated[0] === 1).toBe(rollout.terminated);
        const hasReachedLimit = actions.length >= (kernel.maxEpisodeSteps ?? Infinity);
        expect(hasReachedLimit).toBe(rollout.truncated);
        numEnds += rollout.terminated || rollout.truncated ? 1 : 0;
        const last = doubles(rollout.observations).slice(-flatSize(kernel.observationSpace));
        expectClose([...observed(kernel)], [...last], rolloutTolerance === 1e-6 ? 1e-6 : 3e-7);
      }
      expect(numEnds).toBeGreaterThan(0);
    });
  },
);

function observed(kernel: EnvKernel): Float32Array {
  const row = new Float32Array(flatSize(kernel.observationSpace));
  kernel.writeObservation(0, row, 0);
  return row;
}

/** Plain comparison first: `expect` for every number of every step would take most of the test's time. */
function expectClose(actual: readonly number[], expected: readonly number[], tolerance: number): void {
  if (actual.length === expected.length && actual.every((x, k) => Math.abs(x - expected[k]) <= tolerance)) {
    return;
  }
  expect(actual).toEqual(expected);
}
