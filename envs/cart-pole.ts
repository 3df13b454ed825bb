/**
 * CartPole-v1: keep a pole upright on a cart by pushing the cart left or right.
 *
 * ## Description
 * The cart-pole of Barto, Sutton and Anderson, "Neuronlike adaptive elements that can solve difficult learning control
 * problems" (1983): a pole hinged on a cart that runs on a track without friction. Equations of Florian, "Correct
 * equations for the dynamics of the cart-pole system" (2007), integrated by explicit Euler steps of 0.02 s; the same
 * numbers as Gymnasium's CartPole-v1, to the last bits of sine and cosine.
 *
 * ## Action Space
 * `Discrete(2)`: 0 pushes the cart to the left with 10 N, 1 to the right.
 *
 * ## Observation Space
 * `Box(4)` float32: cart position (m), cart velocity (m/s), pole angle (rad), pole angular velocity (rad/s). The bounds
 * are twice the limits at which the episode ends; velocities are unbounded. With `hideVelocity` (CartPoleNoVelocity-v0) `Box(2)`: position
 * and angle alone, so that velocities have to be remembered from earlier steps.
 *
 * ## Rewards
 * 1 for every step, the last one included. With `suttonBartoReward`: 0, and -1 for the step in which the pole falls.
 *
 * ## Starting State
 * All four numbers uniform in [`low`, `high`), by default [-0.05, 0.05).
 *
 * ## Episode End
 * Terminated when |position| > 2.4 or |angle| > 12 degrees; truncated after 500 steps.
 *
 * ## Options
 * `suttonBartoReward` (false), `low` (-0.05), `high` (0.05), `maxEpisodeSteps` (500; null = none), `resetRng`
 * (`operant`; `numpy` draws Gymnasium's seeded resets), `hideVelocity` (false).
 *
 * State for `setState`: `[x, xDot, theta, thetaDot]`.
 */

import type { RgbFrame } from '../src/env/env.ts';
import { type EnvKernelFactory, stepResults } from '../src/env/env-kernel.ts';
import { readEnvOptions } from '../src/env/env-options.ts';
import { envRandomOpener } from '../src/env/env-random-opener.ts';
import { singleFactory, vectorFactory } from '../src/env/kernel-env.ts';
import { createCanvas } from '../src/env/render/canvas.ts';
import { Box, Discrete } from '../src/env/spaces.ts';

const ENV_ID = 'CartPole-v1';
const GRAVITY = 9.8;
const POLE_MASS = 0.1;
const TOTAL_MASS = 1 + POLE_MASS;
const HALF_LENGTH = 0.5;
const POLE_MOMENT = POLE_MASS * HALF_LENGTH;
const FORCE = 10;
const STEP_SECONDS = 0.02;
const POSITION_LIMIT = 2.4;
const ANGLE_LIMIT = (12 * 2 * Math.PI) / 360;
const OBSERVATION_BOUNDS = [2 * POSITION_LIMIT, Infinity, 2 * ANGLE_LIMIT, Infinity];

/** N cart-poles; see the head of this file. */
export const cartPoleKernel: EnvKernelFactory = (numEnvs, given) => {
  const options = readEnvOptions(ENV_ID, given, {
    suttonBartoReward: false,
    low: -0.05,
    high: 0.05,
    maxEpisodeSteps: 500,
    resetRng: 'operant',
    hideVelocity: false,
  });
  const openRandom = envRandomOpener(ENV_ID, options.resetRng);
  const x = new Float64Array(numEnvs);
  const xDot = new Float64Array(numEnvs);
  const theta = new Float64Array(numEnvs);
  const thetaDot = new Float64Array(numEnvs);
  const results = stepResults(numEnvs);
  const { rewards, terminated } = results;
  const aliveReward = options.suttonBartoReward ? 0 : 1;
  const fallReward = options.suttonBartoReward ? -1 : 1;
  const angleAt = options.hideVelocity ? 1 : 2;

  return {
    envId: ENV_ID,
    numEnvs,
    observationSpace: observationSpace(options.hideVelocity),
    actionSpace: new Discrete(2),
    maxEpisodeSteps: options.maxEpisodeSteps,
    masksActions: false,
    ...results,
    reset(n, seed) {
      const random = openRandom(seed);
      x[n] = random.uniform(options.low, options.high);
      xDot[n] = random.uniform(options.low, options.high);
      theta[n] = random.uniform(options.low, options.high);
      thetaDot[n] = random.uniform(options.low, options.high);
    },
    step(n, actions, offset) {
      const force = actions[offset] === 1 ? FORCE : -FORCE;
      const cos = Math.cos(theta[n]);
      const sin = Math.sin(theta[n]);
      const temp = (force + POLE_MOMENT * (thetaDot[n] * thetaDot[n]) * sin) / TOTAL_MASS;
      const inertia = HALF_LENGTH * (4 / 3 - (POLE_MASS * (cos * cos)) / TOTAL_MASS);
      const angularAcceleration = (GRAVITY * sin - cos * temp) / inertia;
      const acceleration = temp - (POLE_MOMENT * angularAcceleration * cos) / TOTAL_MASS;
      const newX = x[n] + STEP_SECONDS * xDot[n];
      const newTheta = theta[n] + STEP_SECONDS * thetaDot[n];
      x[n] = newX;
      xDot[n] += STEP_SECONDS * acceleration;
      theta[n] = newTheta;
      thetaDot[n] += STEP_SECONDS * angularAcceleration;
      const hasFallen =
        newX < -POSITION_LIMIT || newX > POSITION_LIMIT || newTheta < -ANGLE_LIMIT || newTheta > ANGLE_LIMIT;
      terminated[n] = hasFallen ? 1 : 0;
      rewards[n] = hasFallen ? fallReward : aliveReward;
    },
    writeObservation(n, out, offset) {
      out[offset] = x[n];
      out[offset + angleAt] = theta[n];
      if (options.hideVelocity) return;
      out[offset + 1] = xDot[n];
      out[offset + 3] = thetaDot[n];
    },
    render: (n) => drawCart(x[n], theta[n]),
    getState: (n) => [x[n], xDot[n], theta[n], thetaDot[n]],
    setState(n, state) {
      [x[n], xDot[n], theta[n], thetaDot[n]] = state as number[];
    },
  };
};

function observationSpace(hideVelocity: boolean): Box {
  const bounds = OBSERVATION_BOUNDS.filter((_, k) => !hideVelocity || k % 2 === 0);
  return new Box(
    bounds.map((bound) => -bound),
    bounds,
  );
}

/** 400 x 160 pixels, the track from -2.4 to 2.4 m across. */
function drawCart(x: number, theta: number): RgbFrame {
  const canvas = createCanvas(400, 160);
  const scale = 400 / (2.2 * POSITION_LIMIT);
  const hinge = [200 + x * scale, 120] as const;
  const poleLength = 2 * HALF_LENGTH * scale;
  const tip = [hinge[0] + poleLength * Math.sin(theta), hinge[1] - poleLength * Math.cos(theta)] as const;
  canvas.rectangle(0, 139, 400, 2, [120, 120, 120]);
  canvas.rectangle(hinge[0] - 25, 120, 50, 20, [40, 40, 48]);
  canvas.line(hinge, tip, 8, [202, 152, 101]);
  canvas.disc(hinge, 5, [129, 132, 203]);
  return canvas.frame;
}

/** Options in, one cart-pole out. */
export const cartPole = singleFactory(cartPoleKernel);
/** N cart-poles in one thread. */
export const cartPoleVector = vectorFactory(cartPoleKernel);
