/**
 * MountainCar-v0: a car too weak for the hill has to swing back and forth to reach the flag.
 *
 * ## Description
 * The task of A. Moore's thesis "Efficient Memory-Based Learning for Robot Control" (1990): a car in a valley of the shape
 * sin(3 x). The same numbers as Gymnasium's MountainCar-v0.
 *
 * ## Action Space
 * `Discrete(3)`: 0 accelerates to the left, 1 does nothing, 2 accelerates to the right.
 *
 * ## Observation Space
 * `Box(2)` float32: position in [-1.2, 0.6], velocity in [-0.07, 0.07].
 *
 * ## Rewards
 * -1 for every step.
 *
 * ## Starting State
 * Position uniform in [-0.6, -0.4), velocity 0.
 *
 * ## Episode End
 * Terminated at position >= 0.5 with velocity >= `goalVelocity`; truncated after 200 steps.
 *
 * ## Options
 * `goalVelocity` (0), `maxEpisodeSteps` (200; null = none), `resetRng` (`operant`; `numpy` draws Gymnasium's seeded
 * resets).
 *
 * State for `setState`: `[position, velocity]`.
 */
import { type EnvKernelFactory, stepResults } from '../src/env/env-kernel.ts';
import { readEnvOptions } from '../src/env/env-options.ts';
import { envRandomOpener } from '../src/env/env-random-opener.ts';
import { singleFactory, vectorFactory } from '../src/env/kernel-env.ts';
import { Box, Discrete } from '../src/env/spaces.ts';
import { drawHill } from './mountain-hill.ts';

const ENV_ID = 'MountainCar-v0';
const MIN_POSITION = -1.2;
const MAX_POSITION = 0.6;
const MAX_SPEED = 0.07;
const GOAL = 0.5;
const FORCE = 0.001;
const GRAVITY = 0.0025;

/** N cars; see the head of this file. */
export const mountainCarKernel: EnvKernelFactory = (numEnvs, given) => {
  const options = readEnvOptions(ENV_ID, given, {
    goalVelocity: 0,
    maxEpisodeSteps: 200,
    resetRng: 'operant',
  });
  const openRandom = envRandomOpener(ENV_ID, options.resetRng);
  const position = new Float64Array(numEnvs);
  const velocity = new Float64Array(numEnvs);
  const results = stepResults(numEnvs);
  results.rewards.fill(-1);

  return {
    envId: ENV_ID,
    numEnvs,
    observationSpace: new Box([MIN_POSITION, -MAX_SPEED], [MAX_POSITION, MAX_SPEED]),
    actionSpace: new Discrete(3),
    maxEpisodeSteps: options.maxEpisodeSteps,
    masksActions: false,
    ...results,
    reset(n, seed) {
      position[n] = openRandom(seed).uniform(-0.6, -0.4);
      velocity[n] = 0;
    },
    step(n, actions, offset) {
      const push = (actions[offset] - 1) * FORCE + Math.cos(3 * position[n]) * -GRAVITY;
      let newVelocity = clip(velocity[n] + push, -MAX_SPEED, MAX_SPEED);
      const newPosition = clip(position[n] + newVelocity, MIN_POSITION, MAX_POSITION);
      if (newPosition === MIN_POSITION && newVelocity < 0) newVelocity = 0;
      position[n] = newPosition;
      velocity[n] = newVelocity;
      results.terminated[n] = newPosition >= GOAL && newVelocity >= options.goalVelocity ? 1 : 0;
    },
    writeObservation(n, out, offset) {
      out[offset] = position[n];
      out[offset + 1] = velocity[n];
    },
    render: (n) => drawHill(position[n], GOAL),
    getState: (n) => [position[n], velocity[n]],
    setState(n, state) {
      [position[n], velocity[n]] = state as number[];
    },
  };
};

function clip(x: number, low: number, high: number): number {
  return Math.min(Math.max(x, low), high);
}

/** Options in, one car out. */
export const mountainCar = singleFactory(mountainCarKernel);
/** N cars in one thread. */
export const mountainCarVector = vectorFactory(mountainCarKernel);
