/**
 * BipedalWalker-v3: walk on two legs of two joints each over rough ground.
 *
 * ## Description
 * O. Klimov's task with the numbers of Gymnasium 1.3, simulated by an engine of our own (`box2d/engine`: what of Box2D 2.3 it
 * needs, in double precision). Gymnasium's Box2D computes in single precision: with the same seed the course is the same, and a walk parts slowly
 * from Gymnasium's once the feet touch the ground. `hardcore` adds pits, stumps and stairs.
 *
 * ## Action Space
 * `Box(-1, 1, [4])`: left hip, left knee, right hip, right knee; the sign is the direction in which the motor turns, the size its share of 80 N m.
 *
 * ## Observation Space
 * `Box(24)` float32: angle of the hull (rad), its angular velocity (25 rad/s), velocity forwards and upwards (1/0.12 and 1/0.08 m/s); for each leg the hip's angle
 * and speed (4 rad/s), the knee's angle + 1 and speed (6 rad/s), and 1 if the foot is on the ground; then how far ten rays from the hull go before they
 * meet the ground, in parts of 5.3 m, from straight down to 1.35 rad forwards.
 *
 * ## Rewards
 * 130/30 for every metre forwards (about 300 to the end), less 5 for each rad by which the hull's tilt grows, less 0.028 for the size of each of the four actions;
 * -100 in the step in which it falls.
 *
 * ## Starting State
 * Standing, pushed forwards or backwards by a random force. As in Gymnasium the first observation is that after one step without motors.
 *
 * ## Episode End
 * Terminated when the hull touches the ground, the walker leaves the course at its beginning, or reaches its end; truncated after 1600 steps.
 *
 * ## Options
 * `hardcore` (false), `maxEpisodeSteps` (1600; null = none), `resetRng` (`operant`; `numpy` draws what Gymnasium draws).
 *
 * State for `setState`: `{ seed, walker }`; the course is drawn again from the seed.
 */
import { type EnvKernelFactory, stepResults } from '../src/env/env-kernel.ts';
import { readEnvOptions } from '../src/env/env-options.ts';
import { envRandomOpener } from '../src/env/env-random-opener.ts';
import { singleFactory, vectorFactory } from '../src/env/kernel-env.ts';
import { Box } from '../src/env/spaces.ts';
import type { JsonObject } from '../src/json.ts';
import { NUM_LAST_PIECES, NUM_PIECES, PIECE } from './box2d/course.ts';
import { drawWalker } from './box2d/draw-walker.ts';
import { hingeAngle, hingeSpeed } from './box2d/engine/hinge.ts';
import { NUM_RAYS } from './box2d/rays.ts';
import {
  createWalker,
  HIP_SPEED,
  KNEE_SPEED,
  MOTOR_TORQUE,
  restoreWalker,
  saveWalker,
  type Walker,
  walk,
} from './box2d/walker.ts';
import { SCALE, STEPS_PER_SECOND } from './box2d/world.ts';

const ENV_ID = 'BipedalWalker-v3';
const OBSERVATION_SIZE = 24;
const LEG_BOUNDS = [Math.PI, 5, Math.PI, 5];
const HIGH = [Math.PI, 5, 5, 5, ...LEG_BOUNDS, 5, ...LEG_BOUNDS, 5, ...new Array(NUM_RAYS).fill(1)];
const CONTACTS = [8, 13];
const LOW = HIGH.map((bound, k) => (CONTACTS.includes(k) ? 0 : -bound));
const END = (NUM_PIECES - NUM_LAST_PIECES) * PIECE;
const STANDING = new Float32Array(4);

/** N walkers; see the head of this file. */
export const bipedalWalkerKernel: EnvKernelFactory = (numEnvs, given) => {
  const options = readEnvOptions(ENV_ID, given, {
    hardcore: false,
    maxEpisodeSteps: 1600,
    resetRng: 'operant',
  });
  const openRandom = envRandomOpener(ENV_ID, options.resetRng);
  const walkers = new Array<Walker>(numEnvs);
  const seeds = new Float64Array(numEnvs); // [numEnvs] f64
  const observations = new Float64Array(numEnvs * OBSERVATION_SIZE); // [numEnvs, 24] f64
  const shaping = new Float64Array(numEnvs); // [numEnvs] f64, of the last observation
  const results = stepResults(numEnvs);
  const { rewards, terminated } = results;

  const create = (n: number, seed: number) => {
    seeds[n] = seed;
    walkers[n] = createWalker(openRandom(seed), options.hardcore);
  };
  const observe = (n: number) => {
    const k = n * OBSERVATION_SIZE;
    look(walkers[n], observations, k);
    return (130 * walkers[n].hull.originX) / SCALE - 5 * Math.abs(observations[k]);
  };

  return {
    envId: ENV_ID,
    numEnvs,
    observationSpace: new Box(LOW, HIGH),
    actionSpace: new Box(-1, 1, [4]),
    maxEpisodeSteps: options.maxEpisodeSteps,
    masksActions: false,
    ...results,
    reset(n, seed) {
      create(n, seed);
      walk(walkers[n], STANDING, 0);
      shaping[n] = observe(n);
    },
    step(n, actions, offset) {
      const walker = walkers[n];
      walk(walker, actions, offset);
      const before = shaping[n];
      shaping[n] = observe(n);
      rewards[n] = shaping[n] - before;
      for (let k = 0; k < 4; k++)
        rewards[n] -= 0.00035 * MOTOR_TORQUE * Math.min(1, Math.abs(actions[offset + k]));
      const { originX: x } = walker.hull;
      const isLost = walker.hasFallen || x < 0;
      if (isLost) rewards[n] = -100;
      terminated[n] = isLost || x > END ? 1 : 0;
    },
    writeObservation(n, out, offset) {
      for (let k = 0; k < OBSERVATION_SIZE; k++) out[offset + k] = observations[n * OBSERVATION_SIZE + k];
    },
    getState: (n) => ({ seed: seeds[n], walker: saveWalker(walkers[n]) }),
    setState(n, state) {
      const { seed, walker } = state as JsonObject;
      create(n, seed as number);
      restoreWalker(walkers[n], walker as JsonObject);
      shaping[n] = observe(n);
    },
    render: (n) => drawWalker(walkers[n]),
  };
};

function look({ hull, joints, touches, rays }: Walker, out: Float64Array, k: number): void {
  out[k] = hull.angle;
  out[k + 1] = (2 * hull.spin) / STEPS_PER_SECOND;
  out[k + 2] = (0.3 * hull.velocityX * 20) / STEPS_PER_SECOND;
  out[k + 3] = (0.3 * hull.velocityY * (400 / SCALE)) / STEPS_PER_SECOND;
  for (let leg = 0; leg < 2; leg++) {
    const [hip, knee] = [joints[2 * leg], joints[2 * leg + 1]];
    const at = k + 4 + 5 * leg;
    out[at] = hingeAngle(hip);
    out[at + 1] = hingeSpeed(hip) / HIP_SPEED;
    out[at + 2] = hingeAngle(knee) + 1;
    out[at + 3] = hingeSpeed(knee) / KNEE_SPEED;
    out[at + 4] = touches[leg] ? 1 : 0;
  }
  out.set(rays, k + 14);
}

/** Options in, one walker out. */
export const bipedalWalker = singleFactory(bipedalWalkerKernel);
/** N walkers in one thread. */
export const bipedalWalkerVector = vectorFactory(bipedalWalkerKernel);
