/**
 * MountainCarContinuous-v0: the mountain car with a throttle, and a price on fuel.
 *
 * ## Description
 * As MountainCar-v0, the force chosen from an interval. Gymnasium keeps this state in float32 from the first step of an
 * episode on (in float64 before it), and so does this file: trajectories are equal bit for bit under NumPy 2.
 *
 * ## Action Space
 * `Box(1)` in [-1, 1]: force. Clipped for the movement, not for its cost.
 *
 * ## Observation Space
 * `Box(2)` float32: position in [-1.2, 0.6], velocity in [-0.07, 0.07].
 *
 * ## Rewards
 * -0.1 force^2 for every step, and 100 at the goal.
 *
 * ## Starting State
 * Position uniform in [-0.6, -0.4), velocity 0.
 *
 * ## Episode End
 * Terminated at position >= 0.45 with velocity >= `goalVelocity`; truncated after 999 steps.
 *
 * ## Options
 * `goalVelocity` (0), `maxEpisodeSteps` (999; null = none), `resetRng` (`operant`; `numpy` draws Gymnasium's seeded
 * resets).
 *
 * State for `setState`: `[position, velocity, 1 before the first step else 0]`.
 */
import { type EnvKernelFactory, stepResults } from '../src/env/env-kernel.ts';
import { readEnvOptions } from '../src/env/env-options.ts';
import { envRandomOpener } from '../src/env/env-random-opener.ts';
import { singleFactory, vectorFactory } from '../src/env/kernel-env.ts';
import { Box } from '../src/env/spaces.ts';
import { drawHill } from './mountain-hill.ts';

const ENV_ID = 'MountainCarContinuous-v0';
const MIN_POSITION = -1.2;
const MAX_POSITION = 0.6;
const MAX_SPEED = 0.07;
const GOAL = 0.45;
const POWER = 0.0015;
const POWER_F32 = Math.fround(POWER);
const GRAVITY = 0.0025;

/** N cars; see the head of this file. */
export const mountainCarContinuousKernel: EnvKernelFactory = (numEnvs, given) => {
  const options = readEnvOptions(ENV_ID, given, {
    goalVelocity: 0,
    maxEpisodeSteps: 999,
    resetRng: 'operant',
  });
  const openRandom = envRandomOpener(ENV_ID, options.resetRng);
  const position = new Float64Array(numEnvs);
  const velocity = new Float64Array(numEnvs);
  const isFirst = new Uint8Array(numEnvs);
  const results = stepResults(numEnvs);

  return {
    envId: ENV_ID,
    numEnvs,
    observationSpace: new Box([MIN_POSITION, -MAX_SPEED], [MAX_POSITION, MAX_SPEED]),
    actionSpace: new Box(-1, 1, [1]),
    maxEpisodeSteps: options.maxEpisodeSteps,
    masksActions: false,
    ...results,
    reset(n, seed) {
      position[n] = openRandom(seed).uniform(-0.6, -0.4);
      velocity[n] = 0;
      isFirst[n] = 1;
    },
    step(n, actions, offset) {
      const action = actions[offset];
      const round = isFirst[n] === 1 ? asFloat64 : Math.fround;
      let newVelocity = limit(round(velocity[n] + push(action, position[n], round)), round(MAX_SPEED));
      let newPosition = round(position[n] + newVelocity);
      newPosition = Math.min(Math.max(newPosition, round(MIN_POSITION)), round(MAX_POSITION));
      if (newPosition === round(MIN_POSITION) && newVelocity < 0) newVelocity = 0;
      const isThere = newPosition >= round(GOAL) && newVelocity >= options.goalVelocity;
      results.terminated[n] = isThere ? 1 : 0;
      results.rewards[n] = (isThere ? 100 : 0) - action * action * 0.1;
      position[n] = Math.fround(newPosition);
      velocity[n] = Math.fround(newVelocity);
      isFirst[n] = 0;
    },
    writeObservation(n, out, offset) {
      out[offset] = position[n];
      out[offset + 1] = velocity[n];
    },
    render: (n) => drawHill(position[n], GOAL),
    getState: (n) => [position[n], velocity[n], isFirst[n]],
    setState(n, state) {
      [position[n], velocity[n], isFirst[n]] = state as number[];
    },
  };
};

/**
 * The change of velocity. A float32 action makes it float32 (NumPy 2's promotion); one beyond the bounds is replaced by
 * a Python float, and the sum stays float64 until it meets the velocity.
 */
function push(action: number, position: number, round: (x: number) => number): number {
  const gravity = GRAVITY * Math.cos(round(3 * position));
  if (action > 1) return round(POWER - gravity);
  if (action < -1) return round(-POWER - gravity);
  return Math.fround(Math.fround(action * POWER_F32) - Math.fround(gravity));
}

function limit(x: number, bound: number): number {
  return Math.min(Math.max(x, -bound), bound);
}

function asFloat64(x: number): number {
  return x;
}

/** Options in, one car out. */
export const mountainCarContinuous = singleFactory(mountainCarContinuousKernel);
/** N cars in one thread. */
export const mountainCarContinuousVector = vectorFactory(mountainCarContinuousKernel);
