/** Contextual bandits: the observation says what the best action is. Episodes of 8 independent steps. */
import type { Env } from '../../src/env/env.ts';
import { Box, Discrete, MultiBinary, MultiDiscrete } from '../../src/env/spaces.ts';
import { openStream, type Stream } from '../../src/random/streams.ts';

export const STEPS = 8;

/** Discrete components: reward = share of components that match, so the optimum of an episode is 8 and chance is known. */
export function discreteIdentity(
  kind: 'discrete' | 'multi-discrete' | 'multi-binary',
  hasMasks = false,
): Env {
  const sizes = { discrete: [4], 'multi-discrete': [3, 2], 'multi-binary': [2, 2, 2] }[kind];
  const actionSpace = {
    discrete: new Discrete(4),
    'multi-discrete': new MultiDiscrete([3, 2]),
    'multi-binary': new MultiBinary(3),
  }[kind];
  let targets = sizes.map(() => 0);
  const begin = episode((random) => {
    targets = sizes.map((size) => random.integer(size));
    return targets.flatMap((target, k) => Array.from({ length: sizes[k] }, (_, i) => (i === target ? 1 : 0)));
  });
  // Half of the wrong answers are forbidden.
  const info = () =>
    hasMasks
      ? {
          info: {
            actionMask: sizes.flatMap((size) =>
              Array.from({ length: size }, (_, i) => (i === targets[0] || i % 2 === 0 ? 1 : 0)),
            ),
          },
        }
      : {};
  return {
    observationSpace: new Box(0, 1, [sizes.reduce((a, b) => a + b)]),
    actionSpace,
    masksActions: hasMasks,
    reset: ({ seed = 0 } = {}) => ({ observation: begin.reset(seed), ...info() }),
    step(action) {
      const parts = typeof action === 'number' ? [action] : [...(action as Int32Array)];
      const reward = parts.filter((part, k) => part === targets[k]).length / sizes.length;
      return { ...begin.next(), reward, ...info() };
    },
  };
}

/** Two targets in [-1, 1] of a range of [-2, 2]; reward = -|action - target|^2, so the optimum is 0. */
export function continuousIdentity(): Env {
  let targets = [0, 0];
  const begin = episode((random) => {
    targets = [2 * random.uniform() - 1, 2 * random.uniform() - 1];
    return targets;
  });
  return {
    observationSpace: new Box(-1, 1, [2]),
    actionSpace: new Box(-2, 2, [2]),
    reset: ({ seed = 0 } = {}) => ({ observation: begin.reset(seed) }),
    step(action) {
      const [x, y] = action as Float32Array;
      return { reward: -((x - targets[0]) ** 2) - (y - targets[1]) ** 2, ...begin.next() };
    },
  };
}

/** Reward 1 for ever, in pieces of 5 steps that a time limit cuts, or that end in earnest. */
export function allowance(end: 'terminated' | 'truncated'): Env {
  let step = 0;
  return {
    observationSpace: new Box(0, 1, [1]),
    actionSpace: new Discrete(2),
    reset: () => {
      step = 0;
      return { observation: [1] };
    },
    step: () => {
      step += 1;
      const isOver = step === 5;
      return {
        observation: [1],
        reward: 1,
        terminated: isOver && end === 'terminated',
        truncated: isOver && end === 'truncated',
      };
    },
  };
}

function episode(draw: (random: Stream) => number[]) {
  let random = openStream(0, 'identity');
  let step = 0;
  return {
    reset(seed: number) {
      random = openStream(seed, 'identity');
      step = 0;
      return draw(random);
    },
    next() {
      step += 1;
      return { observation: draw(random), terminated: step === STEPS, truncated: false };
    },
  };
}
