/**
 * HybridMove-v0: drive to a circle and stop in it, by one of three manoeuvres at a time, each with a number of its own.
 *
 * ## Description
 * A vehicle on a field. At every step it accelerates, turns or brakes: a choice, and for the first two how much. It is for actions of mixed kinds:
 * a policy that has but the choices, or but the numbers, gets there later or not at all.
 *
 * ## Action Space
 * `Dict`: `manoeuvre` `Discrete(3)` (0 accelerate, 1 turn, 2 brake), `amount` `Box(0, 1, [1])`, by which it accelerates (times 0.1 a step), and
 * `angle` `Box(-1, 1, [1])`, by which it turns (times pi / 2). Only what belongs to the manoeuvre counts. Braking halves the speed.
 *
 * ## Observation Space
 * `Box(7)`: x and y in [-1, 1]; speed times 5; cosine and sine of the heading; how far the circle's centre is ahead and to the left, over 3.
 *
 * ## Rewards
 * The distance to the circle's centre that a step took off, less 0.01; 2 more at the end, for standing in the circle.
 *
 * ## Starting State
 * Vehicle and centre are uniform in [-0.9, 0.9] x [-0.9, 0.9], at least 0.4 apart; the heading is uniform, the speed 0.
 *
 * ## Episode End
 * Terminated when the vehicle is in the circle (radius 0.1) and slower than 0.02; truncated after 100 steps. Walls stop it where it meets them.
 *
 * ## Options
 * `maxEpisodeSteps` (100; null = none).
 *
 * Source: our own; the kind of task, a choice with parameters, is Masson et al. 2016, arXiv:1509.01644.
 *
 * State for `setState`: `[x, y, speed, heading, goal x, goal y]`.
 */
import type { RgbFrame } from '../src/env/env.ts';
import { type EnvKernelFactory, stepResults } from '../src/env/env-kernel.ts';
import { readEnvOptions } from '../src/env/env-options.ts';
import { openEnvRandom } from '../src/env/env-random.ts';
import { singleFactory, vectorFactory } from '../src/env/kernel-env.ts';
import { type Color, createCanvas, type Point } from '../src/env/render/canvas.ts';
import { Box, Dict, Discrete } from '../src/env/spaces.ts';

const ENV_ID = 'HybridMove-v0';
const Manoeuvre = { ACCELERATE: 0, TURN: 1, BRAKE: 2 } as const;
const START = 0.9;
const LEAST_DISTANCE = 0.4;
const RADIUS = 0.1;
const STANDING = 0.02;
const MAX_SPEED = 0.2;
const OBSERVATION_SIZE = 7;

/** x, y, speed, heading, goal x, goal y of each environment. */
const STATE_SIZE = 6;

/** N vehicles; see the head of this file. */
export const hybridMoveKernel: EnvKernelFactory = (numEnvs, given) => {
  const options = readEnvOptions(ENV_ID, given, { maxEpisodeSteps: 100 });
  const state = new Float64Array(numEnvs * STATE_SIZE); // [numEnvs, STATE_SIZE] f64
  const results = stepResults(numEnvs);
  const { rewards, terminated } = results;
  const distanceOf = (s: number) => {
    const [dx, dy] = [state[s + 4] - state[s], state[s + 5] - state[s + 1]];
    return Math.sqrt(dx * dx + dy * dy);
  };
  return {
    envId: ENV_ID,
    numEnvs,
    observationSpace: new Box(-1, 1, [OBSERVATION_SIZE]),
    actionSpace: new Dict({
      amount: new Box(0, 1, [1]),
      angle: new Box(-1, 1, [1]),
      manoeuvre: new Discrete(3),
    }),
    maxEpisodeSteps: options.maxEpisodeSteps,
    masksActions: false,
    ...results,
    reset(n, seed) {
      const random = openEnvRandom(seed);
      const s = n * STATE_SIZE;
      const place = () => random.uniform(-START, START);
      state.set([place(), place(), 0, random.uniform(-Math.PI, Math.PI)], s);
      do state.set([place(), place()], s + 4);
      while (distanceOf(s) < LEAST_DISTANCE);
    },
    step(n, actions, offset) {
      const s = n * STATE_SIZE;
      const before = distanceOf(s);
      // parts of a Dict stand in alphabetical order
      drive(state, s, {
        amount: actions[offset],
        angle: actions[offset + 1],
        manoeuvre: actions[offset + 2],
      });
      const after = distanceOf(s);
      const hasStopped = after <= RADIUS && state[s + 2] < STANDING;
      rewards[n] = before - after - 0.01 + (hasStopped ? 2 : 0);
      terminated[n] = hasStopped ? 1 : 0;
    },
    writeObservation(n, out, offset) {
      const [x, y, speed, heading, goalX, goalY] = state.subarray(n * STATE_SIZE, (n + 1) * STATE_SIZE);
      const [cos, sin] = [Math.cos(heading), Math.sin(heading)];
      out[offset] = x;
      out[offset + 1] = y;
      out[offset + 2] = speed / MAX_SPEED;
      out[offset + 3] = cos;
      out[offset + 4] = sin;
      // in the vehicle's own axes: ahead, and to its left
      out[offset + 5] = ((goalX - x) * cos + (goalY - y) * sin) / 3;
      out[offset + 6] = ((goalY - y) * cos - (goalX - x) * sin) / 3;
    },
    render: (n) => drawField(state, n * STATE_SIZE),
    getState: (n) => [...state.subarray(n * STATE_SIZE, (n + 1) * STATE_SIZE)],
    setState(n, saved) {
      state.set(saved as number[], n * STATE_SIZE);
    },
  };
};

interface Drive {
  readonly amount: number;
  readonly angle: number;
  readonly manoeuvre: number;
}

/** One manoeuvre, then a step ahead; at a wall the vehicle stands. */
function drive(state: Float64Array, s: number, { amount, angle, manoeuvre }: Drive): void {
  let [x, y, speed, heading] = state.subarray(s, s + 4);
  if (manoeuvre === Manoeuvre.ACCELERATE) speed = Math.min(MAX_SPEED, speed + 0.1 * amount);
  else if (manoeuvre === Manoeuvre.TURN) heading += (Math.PI / 2) * angle;
  else if (manoeuvre === Manoeuvre.BRAKE) speed /= 2;
  if (heading > Math.PI) heading -= 2 * Math.PI;
  if (heading < -Math.PI) heading += 2 * Math.PI;
  const [toX, toY] = [x + speed * Math.cos(heading), y + speed * Math.sin(heading)];
  x = Math.max(-1, Math.min(1, toX));
  y = Math.max(-1, Math.min(1, toY));
  if (x !== toX || y !== toY) speed = 0;
  state[s] = x;
  state[s + 1] = y;
  state[s + 2] = speed;
  state[s + 3] = heading;
}

const FIELD: Color = [235, 235, 228];
const CIRCLE: Color = [60, 180, 75];
const VEHICLE: Color = [60, 110, 200];
const SIDE = 240;

function drawField(state: Float64Array, s: number): RgbFrame {
  const [x, y, , heading, goalX, goalY] = state.subarray(s, s + STATE_SIZE);
  const canvas = createCanvas(SIDE, SIDE, FIELD);
  const at = (px: number, py: number): Point => [(SIDE / 2) * (1 + px), (SIDE / 2) * (1 - py)];
  canvas.disc(at(goalX, goalY), (SIDE / 2) * RADIUS, CIRCLE);
  canvas.disc(at(x, y), 6, VEHICLE);
  canvas.line(at(x, y), at(x + 0.12 * Math.cos(heading), y + 0.12 * Math.sin(heading)), 3, VEHICLE);
  return canvas.frame;
}

/** Options in, one vehicle out. */
export const hybridMove = singleFactory(hybridMoveKernel);
/** N vehicles in one thread. */
export const hybridMoveVector = vectorFactory(hybridMoveKernel);
