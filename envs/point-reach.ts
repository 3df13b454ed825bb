/**
 * PointReach-v0: push a point to a place that is asked for; nobody says how far that still is.
 *
 * ## Description
 * The point has a mass: thrust changes its velocity, so reaching a place and staying there needs braking. The reward is sparse, as in
 * Gymnasium-Robotics' reach tasks.
 *
 * ## Action Space
 * `Box(2)` in [-1, 1]: thrust.
 *
 * ## Observation Space
 * Dict: `achievedGoal`, the place [x, y] in [-1, 1]; `desiredGoal`, the place that is wanted; `observation`, the velocity in [-0.2, 0.2].
 *
 * ## Rewards
 * 0 while the point is within `threshold` of the goal, else -1.
 *
 * ## Transition Dynamics
 * velocity' = clip(0.9 velocity + 0.04 action, +-0.2), place' = clip(place + velocity', +-1), in float32.
 *
 * ## Starting State
 * At rest; place and goal uniform in [-1, 1)^2.
 *
 * ## Episode End
 * Never terminated; truncated after 50 steps.
 *
 * ## Options
 * `threshold` (0.1), `maxEpisodeSteps` (50; null = none).
 *
 * State for `setState`: `[x, y, velocity x, velocity y, goal x, goal y]`.
 */
import { type EnvKernelFactory, stepResults } from '../src/env/env-kernel.ts';
import { checkRange, readEnvOptions } from '../src/env/env-options.ts';
import { openEnvRandom } from '../src/env/env-random.ts';
import { singleFactory, vectorFactory } from '../src/env/kernel-env.ts';
import { Box, Dict } from '../src/env/spaces.ts';

const ENV_ID = 'PointReach-v0';
const MAX_SPEED = Math.fround(0.2);

/** N points; see the head of this file. */
export const pointReachKernel: EnvKernelFactory = (numEnvs, given) => {
  const options = readEnvOptions(ENV_ID, given, { threshold: 0.1, maxEpisodeSteps: 50 });
  checkRange(ENV_ID, 'threshold', options.threshold, 1e-6, 3);
  const state = new Float32Array(numEnvs * 6); // [numEnvs, place 2, velocity 2, goal 2] f32
  const results = stepResults(numEnvs);
  const reward = (x: number, y: number, goalX: number, goalY: number) => {
    const [dx, dy] = [x - goalX, y - goalY];
    return dx * dx + dy * dy <= options.threshold * options.threshold ? 0 : -1;
  };

  return {
    envId: ENV_ID,
    numEnvs,
    observationSpace: new Dict({
      achievedGoal: new Box(-1, 1, [2]),
      desiredGoal: new Box(-1, 1, [2]),
      observation: new Box(-0.2, 0.2, [2]),
    }),
    actionSpace: new Box(-1, 1, [2]),
    maxEpisodeSteps: options.maxEpisodeSteps,
    masksActions: false,
    ...results,
    reset(n, seed) {
      const random = openEnvRandom(seed);
      const at = 6 * n;
      for (const k of [0, 1, 4, 5]) state[at + k] = random.uniform(-1, 1);
      state[at + 2] = 0;
      state[at + 3] = 0;
    },
    step(n, actions, offset) {
      const at = 6 * n;
      for (const k of [0, 1]) {
        const thrust = limit(actions[offset + k], 1);
        state[at + 2 + k] = limit(0.9 * state[at + 2 + k] + 0.04 * thrust, MAX_SPEED);
        state[at + k] = limit(state[at + k] + state[at + 2 + k], 1);
      }
      results.rewards[n] = reward(state[at], state[at + 1], state[at + 4], state[at + 5]);
    },
    writeObservation(n, out, offset) {
      for (const [k, from] of [0, 1, 4, 5, 2, 3].entries()) out[offset + k] = state[6 * n + from];
    },
    computeReward: ([x, y], [goalX, goalY]) => reward(x, y, goalX, goalY),
    getState: (n) => [...state.subarray(6 * n, 6 * n + 6)],
    setState(n, saved) {
      state.set(saved as number[], 6 * n);
    },
  };
};

function limit(x: number, bound: number): number {
  return Math.min(Math.max(x, -bound), bound);
}

/** Options in, one point out. */
export const pointReach = singleFactory(pointReachKernel);
/** N points in one thread. */
export const pointReachVector = vectorFactory(pointReachKernel);
