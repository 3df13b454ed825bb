/**
 * Pendulum-v1: swing a pendulum up and hold it there, with a motor too weak to lift it at once.
 *
 * ## Description
 * A rod of length 1 m and mass 1 kg on a fixed pivot, driven by a torque. One step is 0.05 s of semi-implicit Euler. The
 * same numbers as Gymnasium's Pendulum-v1 under NumPy 2 (torque, its square and its effect are float32 there).
 *
 * ## Action Space
 * `Box(1)` in [-2, 2]: torque (Nm). Clipped.
 *
 * ## Observation Space
 * `Box(3)` float32: cos(angle), sin(angle), angular velocity (rad/s) in [-8, 8]. Angle 0 = upright. With
 * `hideVelocity` (PendulumNoVelocity-v0) `Box(2)`: the velocity has to be remembered from earlier steps.
 *
 * ## Rewards
 * -(angle^2 + 0.1 velocity^2 + 0.001 torque^2), the angle normalised to [-pi, pi), before the step; between -16.27 and 0.
 *
 * ## Starting State
 * Angle uniform in [-pi, pi), velocity uniform in [-1, 1).
 *
 * ## Episode End
 * Never terminated; truncated after 200 steps.
 *
 * ## Options
 * `gravity` (10 m/s^2), `xInit` (pi) and `yInit` (1): bounds of the starting angle and velocity, `maxEpisodeSteps` (200;
 * null = none), `resetRng` (`operant`; `numpy` draws Gymnasium's seeded resets), `hideVelocity` (false).
 *
 * State for `setState`: `[theta, thetaDot]`.
 */

import type { RgbFrame } from '../src/env/env.ts';
import { type EnvKernelFactory, stepResults } from '../src/env/env-kernel.ts';
import { readEnvOptions } from '../src/env/env-options.ts';
import { envRandomOpener } from '../src/env/env-random-opener.ts';
import { singleFactory, vectorFactory } from '../src/env/kernel-env.ts';
import { createCanvas } from '../src/env/render/canvas.ts';
import { Box } from '../src/env/spaces.ts';

const ENV_ID = 'Pendulum-v1';
const MAX_SPEED = 8;
const MAX_TORQUE = 2;
const STEP_SECONDS = 0.05;
const TORQUE_COST = Math.fround(0.001);

/** N pendulums; see the head of this file. */
export const pendulumKernel: EnvKernelFactory = (numEnvs, given) => {
  const options = readEnvOptions(ENV_ID, given, {
    gravity: 10,
    xInit: Math.PI,
    yInit: 1,
    maxEpisodeSteps: 200,
    resetRng: 'operant',
    hideVelocity: false,
  });
  const { hideVelocity } = options;
  const openRandom = envRandomOpener(ENV_ID, options.resetRng);
  const theta = new Float64Array(numEnvs);
  const thetaDot = new Float64Array(numEnvs);
  const sines = new Float64Array(numEnvs); // of theta: a step needs what the observation before it showed
  const results = stepResults(numEnvs);
  const { rewards } = results;
  const weight = (3 * options.gravity) / 2;

  return {
    envId: ENV_ID,
    numEnvs,
    observationSpace: hideVelocity ? new Box(-1, 1, [2]) : new Box([-1, -1, -MAX_SPEED], [1, 1, MAX_SPEED]),
    actionSpace: new Box(-MAX_TORQUE, MAX_TORQUE, [1]),
    maxEpisodeSteps: options.maxEpisodeSteps,
    masksActions: false,
    ...results,
    reset(n, seed) {
      const random = openRandom(seed);
      theta[n] = random.uniform(-options.xInit, options.xInit);
      thetaDot[n] = random.uniform(-options.yInit, options.yInit);
      sines[n] = Math.sin(theta[n]);
    },
    step(n, actions, offset) {
      const torque = Math.fround(Math.min(Math.max(actions[offset], -MAX_TORQUE), MAX_TORQUE));
      const angle = normalizeAngle(theta[n]);
      const velocity = thetaDot[n];
      const torqueCost = Math.fround(TORQUE_COST * Math.fround(torque * torque));
      rewards[n] = -(angle * angle + 0.1 * (velocity * velocity) + torqueCost);
      const acceleration = weight * sines[n] + Math.fround(3 * torque);
      const newVelocity = Math.min(Math.max(velocity + acceleration * STEP_SECONDS, -MAX_SPEED), MAX_SPEED);
      thetaDot[n] = newVelocity;
      theta[n] += newVelocity * STEP_SECONDS;
      sines[n] = Math.sin(theta[n]);
    },
    writeObservation(n, out, offset) {
      out[offset] = Math.cos(theta[n]);
      out[offset + 1] = sines[n];
      if (!hideVelocity) out[offset + 2] = thetaDot[n];
    },
    render: (n) => drawPendulum(theta[n]),
    getState: (n) => [theta[n], thetaDot[n]],
    setState(n, state) {
      [theta[n], thetaDot[n]] = state as number[];
      sines[n] = Math.sin(theta[n]);
    },
  };
};

/** 240 x 240 pixels, the pivot in the middle. */
function drawPendulum(theta: number): RgbFrame {
  const canvas = createCanvas(240, 240);
  const tip = [120 - 95 * Math.sin(theta), 120 - 95 * Math.cos(theta)] as const;
  canvas.line([120, 120], tip, 18, [204, 77, 77]);
  canvas.disc(tip, 9, [204, 77, 77]);
  canvas.disc([120, 120], 5, [0, 0, 0]);
  return canvas.frame;
}

/** The same angle in [-pi, pi). */
function normalizeAngle(angle: number): number {
  const turned = (angle + Math.PI) % (2 * Math.PI);
  return (turned < 0 ? turned + 2 * Math.PI : turned) - Math.PI;
}

/** Options in, one pendulum out. */
export const pendulum = singleFactory(pendulumKernel);
/** N pendulums in one thread. */
export const pendulumVector = vectorFactory(pendulumKernel);
