/**
 * Acrobot-v1: swing the free end of a two-link arm above a line, with a motor at the elbow only.
 *
 * ## Description
 * R. Sutton, "Generalization in Reinforcement Learning: Successful Examples Using Sparse Coarse Coding" (1996), with the
 * equations of the book (Sutton and Barto, section 11.3 of the first edition): two links of 1 m and 1 kg, one Runge-Kutta
 * step of 0.2 s per action. The same numbers as Gymnasium's Acrobot-v1, until chaos magnifies the last bits of sine and
 * cosine (1e-5 after 500 steps).
 *
 * ## Action Space
 * `Discrete(3)`: torque -1, 0, 1 Nm at the joint between the links.
 *
 * ## Observation Space
 * `Box(6)` float32: cos and sin of the first angle (0 = hanging), cos and sin of the second (relative to the first link),
 * both angular velocities in [-4 pi, 4 pi] and [-9 pi, 9 pi].
 *
 * ## Rewards
 * -1 for every step, 0 for the one that reaches the goal.
 *
 * ## Starting State
 * Both angles and velocities uniform in [`low`, `high`), by default [-0.1, 0.1), rounded to float32.
 *
 * ## Episode End
 * Terminated when -cos(a1) - cos(a1 + a2) > 1; truncated after 500 steps.
 *
 * ## Options
 * `low` (-0.1), `high` (0.1), `maxEpisodeSteps` (500; null = none), `resetRng` (`operant`; `numpy` draws Gymnasium's seeded
 * resets).
 *
 * State for `setState`: `[theta1, theta2, thetaDot1, thetaDot2]`.
 */

import type { RgbFrame } from '../src/env/env.ts';
import { type EnvKernelFactory, stepResults } from '../src/env/env-kernel.ts';
import { readEnvOptions } from '../src/env/env-options.ts';
import { envRandomOpener } from '../src/env/env-random-opener.ts';
import { singleFactory, vectorFactory } from '../src/env/kernel-env.ts';
import { createCanvas } from '../src/env/render/canvas.ts';
import { Box, Discrete } from '../src/env/spaces.ts';

const ENV_ID = 'Acrobot-v1';
const GRAVITY = 9.8;
const STEP_SECONDS = 0.2;
const HALF_STEP = STEP_SECONDS / 2;
const MAX_SPEED_1 = 4 * Math.PI;
const MAX_SPEED_2 = 9 * Math.PI;
const BOUNDS = [1, 1, 1, 1, MAX_SPEED_1, MAX_SPEED_2];

/** Scratch for one Runge-Kutta step: the state asked about, and its four derivatives. */
interface Slopes {
  readonly at: Float64Array; // [4] f64
  readonly k1: Float64Array; // [4] f64
  readonly k2: Float64Array; // [4] f64
  readonly k3: Float64Array; // [4] f64
  readonly k4: Float64Array; // [4] f64
}

/** N arms; see the head of this file. */
export const acrobotKernel: EnvKernelFactory = (numEnvs, given) => {
  const options = readEnvOptions(ENV_ID, given, {
    low: -0.1,
    high: 0.1,
    maxEpisodeSteps: 500,
    resetRng: 'operant',
  });
  const openRandom = envRandomOpener(ENV_ID, options.resetRng);
  const states = new Float64Array(numEnvs * 4); // [numEnvs, 4] f64
  const make = () => new Float64Array(4);
  const slopes: Slopes = { at: make(), k1: make(), k2: make(), k3: make(), k4: make() };
  const results = stepResults(numEnvs);

  return {
    envId: ENV_ID,
    numEnvs,
    observationSpace: new Box(
      BOUNDS.map((bound) => -bound),
      BOUNDS,
    ),
    actionSpace: new Discrete(3),
    maxEpisodeSteps: options.maxEpisodeSteps,
    masksActions: false,
    ...results,
    reset(n, seed) {
      const random = openRandom(seed);
      for (let k = 0; k < 4; k++) states[4 * n + k] = Math.fround(random.uniform(options.low, options.high));
    },
    step(n, actions, offset) {
      const i = 4 * n;
      integrate(states, i, actions[offset] - 1, slopes);
      states[i] = wrap(states[i]);
      states[i + 1] = wrap(states[i + 1]);
      states[i + 2] = limit(states[i + 2], MAX_SPEED_1);
      states[i + 3] = limit(states[i + 3], MAX_SPEED_2);
      const isUp = -Math.cos(states[i]) - Math.cos(states[i + 1] + states[i]) > 1;
      results.terminated[n] = isUp ? 1 : 0;
      results.rewards[n] = isUp ? 0 : -1;
    },
    writeObservation(n, out, offset) {
      const i = 4 * n;
      out[offset] = Math.cos(states[i]);
      out[offset + 1] = Math.sin(states[i]);
      out[offset + 2] = Math.cos(states[i + 1]);
      out[offset + 3] = Math.sin(states[i + 1]);
      out[offset + 4] = states[i + 2];
      out[offset + 5] = states[i + 3];
    },
    render: (n) => drawArm(states[4 * n], states[4 * n + 1]),
    getState: (n) => [...states.subarray(4 * n, 4 * n + 4)],
    setState(n, state) {
      states.set(state as number[], 4 * n);
    },
  };
};

/** 260 x 260 pixels; the line to reach is one link above the pivot. */
function drawArm(angle1: number, angle2: number): RgbFrame {
  const canvas = createCanvas(260, 260);
  const link = 58;
  const pivot = [130, 130] as const;
  const elbow = [pivot[0] + link * Math.sin(angle1), pivot[1] + link * Math.cos(angle1)] as const;
  const total = angle1 + angle2;
  const tip = [elbow[0] + link * Math.sin(total), elbow[1] + link * Math.cos(total)] as const;
  canvas.rectangle(0, pivot[1] - link, 260, 1, [0, 0, 0]);
  canvas.line(pivot, elbow, 10, [0, 160, 160]);
  canvas.line(elbow, tip, 10, [0, 204, 204]);
  canvas.disc(pivot, 6, [204, 204, 0]);
  canvas.disc(elbow, 6, [204, 204, 0]);
  return canvas.frame;
}

/** One classical Runge-Kutta step of the state at `states[i ..]`, in place. */
function integrate(states: Float64Array, i: number, torque: number, slopes: Slopes): void {
  const { at, k1, k2, k3, k4 } = slopes;
  for (let k = 0; k < 4; k++) at[k] = states[i + k];
  derivative(at, torque, k1);
  for (let k = 0; k < 4; k++) at[k] = states[i + k] + HALF_STEP * k1[k];
  derivative(at, torque, k2);
  for (let k = 0; k < 4; k++) at[k] = states[i + k] + HALF_STEP * k2[k];
  derivative(at, torque, k3);
  for (let k = 0; k < 4; k++) at[k] = states[i + k] + STEP_SECONDS * k3[k];
  derivative(at, torque, k4);
  for (let k = 0; k < 4; k++) {
    states[i + k] += (STEP_SECONDS / 6) * (k1[k] + 2 * k2[k] + 2 * k3[k] + k4[k]);
  }
}

/** d/dt of [a1, a2, v1, v2]; masses, lengths and moments of inertia are 1, centres of mass at 0.5. */
function derivative(state: Float64Array, torque: number, out: Float64Array): void {
  const [angle1, angle2, speed1, speed2] = state;
  const cos2 = Math.cos(angle2);
  const sin2 = Math.sin(angle2);
  const d1 = 0.25 + (1.25 + cos2) + 1 + 1;
  const d2 = 0.25 + 0.5 * cos2 + 1;
  const phi2 = 0.5 * GRAVITY * Math.cos(angle1 + angle2 - Math.PI / 2);
  const phi1 =
    -0.5 * (speed2 * speed2) * sin2 -
    speed2 * speed1 * sin2 +
    1.5 * GRAVITY * Math.cos(angle1 - Math.PI / 2) +
    phi2;
  const acceleration2 =
    (torque + (d2 / d1) * phi1 - 0.5 * (speed1 * speed1) * sin2 - phi2) / (1.25 - (d2 * d2) / d1);
  out[0] = speed1;
  out[1] = speed2;
  out[2] = -(d2 * acceleration2 + phi1) / d1;
  out[3] = acceleration2;
}

/** The same angle in [-pi, pi], by whole turns. */
function wrap(angle: number): number {
  let turned = angle;
  while (turned > Math.PI) turned -= 2 * Math.PI;
  while (turned < -Math.PI) turned += 2 * Math.PI;
  return turned;
}

function limit(x: number, bound: number): number {
  return Math.min(Math.max(x, -bound), bound);
}

/** Options in, one arm out. */
export const acrobot = singleFactory(acrobotKernel);
/** N arms in one thread. */
export const acrobotVector = vectorFactory(acrobotKernel);
