/**
 * LunarLander-v3: land a craft between two flags with a main engine and two side engines.
 *
 * ## Description
 * O. Klimov's task with the numbers of Gymnasium 1.3, simulated by an engine of our own (`box2d/engine`: what of Box2D 2.3 it
 * needs, in double precision). Gymnasium's Box2D computes in single precision: with the same seed and actions the ground is the same, flight differs
 * by less than 2e-5, and what comes after a contact slowly parts.
 *
 * ## Action Space
 * `Discrete(4)`: 0 nothing, 1 left side engine, 2 main engine, 3 right side engine. With `continuous`, `Box(-1, 1, [2])`: the main engine is off at
 * or below 0 and gives 50% to 100% of its power from there to 1; the left side engine fires below -0.5, the right one above 0.5, with 50% to 100%.
 *
 * ## Observation Space
 * `Box(8)` float32: x and y from the pad, in half widths of the screen (10 m across, 6.7 m up); velocity, in 1/5 and 2/15 m/s; angle (rad);
 * angular velocity (2.5 rad/s); 1 for each leg that touches the ground, else 0.
 *
 * ## Rewards
 * By how much -100 distance -100 speed -100 |angle| + 10 per leg on the ground has grown, -0.3 for the main engine at full power, -0.03 for a side engine; in
 * the last step -100 for a crash or leaving the screen, and 100 for lying still.
 *
 * ## Starting State
 * At the top in the middle, pushed by a random force; the ground is random but for the pad. As in Gymnasium the first observation is that after one step
 * without engines.
 *
 * ## Episode End
 * Terminated when the hull touches the ground, |x| >= 1, or the lander has come to rest; truncated after 1000 steps.
 *
 * ## Options
 * `continuous` (false), `gravity` (-10, in (-12, 0)), `enableWind` (false; until a leg touches), `windPower` (15, 0 to 20), `turbulencePower` (1.5, 0 to 2),
 * `maxEpisodeSteps` (1000; null = none), `resetRng` (`operant`; `numpy` draws what Gymnasium draws).
 *
 * State for `setState`: `{ seed, lander }`; the ground is drawn again from the seed.
 */
import { type EnvKernelFactory, stepResults } from '../src/env/env-kernel.ts';
import { checkRange, readEnvOptions } from '../src/env/env-options.ts';
import { envRandomOpener } from '../src/env/env-random-opener.ts';
import { singleFactory, vectorFactory } from '../src/env/kernel-env.ts';
import { Box, Discrete } from '../src/env/spaces.ts';
import { ConfigError } from '../src/errors.ts';
import type { JsonObject } from '../src/json.ts';
import { drawLander } from './box2d/draw-lander.ts';
import {
  createLander,
  fly,
  HEIGHT,
  type Lander,
  LEG_DOWN,
  PAD_HEIGHT,
  restoreLander,
  saveLander,
  WIDTH,
} from './box2d/lander.ts';
import { STEPS_PER_SECOND } from './box2d/world.ts';

const ENV_ID = 'LunarLander-v3';
const OBSERVATION_SIZE = 8;
const LOW = [-2.5, -2.5, -10, -10, -2 * Math.PI, -10, 0, 0];
const HIGH = [2.5, 2.5, 10, 10, 2 * Math.PI, 10, 1, 1];

/** N landers; see the head of this file. */
export const lunarLanderKernel: EnvKernelFactory = (numEnvs, given) => {
  const options = readOptions(given);
  const openRandom = envRandomOpener(ENV_ID, options.resetRng);
  const wind = options.enableWind ? { power: options.windPower, turbulence: options.turbulencePower } : null;
  const landers = new Array<Lander>(numEnvs);
  const seeds = new Float64Array(numEnvs); // [numEnvs] f64
  const observations = new Float64Array(numEnvs * OBSERVATION_SIZE); // [numEnvs, 8] f64
  const shaping = new Float64Array(numEnvs); // [numEnvs] f64, of the last observation
  const results = stepResults(numEnvs);
  const { rewards, terminated } = results;

  const create = (n: number, seed: number) => {
    seeds[n] = seed;
    landers[n] = createLander(openRandom(seed), options.gravity, options.enableWind);
  };
  const observe = (n: number) => {
    const k = n * OBSERVATION_SIZE;
    look(landers[n], observations, k);
    return shapingOf(observations, k);
  };
  const step = (n: number, main: number, side: number, turn: number) => {
    const lander = landers[n];
    fly(lander, main, side, turn, wind);
    const before = shaping[n];
    shaping[n] = observe(n);
    rewards[n] = shaping[n] - before - 0.3 * main - 0.03 * side;
    const isLost = lander.hasCrashed || Math.abs(observations[n * OBSERVATION_SIZE]) >= 1;
    const isAtRest = !lander.hull.isAwake;
    if (isLost) rewards[n] = -100;
    if (isAtRest) rewards[n] = 100;
    terminated[n] = isLost || isAtRest ? 1 : 0;
  };

  return {
    envId: ENV_ID,
    numEnvs,
    observationSpace: new Box(LOW, HIGH),
    actionSpace: options.continuous ? new Box(-1, 1, [2]) : new Discrete(4),
    maxEpisodeSteps: options.maxEpisodeSteps,
    masksActions: false,
    ...results,
    reset(n, seed) {
      create(n, seed);
      fly(landers[n], 0, 0, 0, wind);
      shaping[n] = observe(n);
    },
    step(n, actions, offset) {
      if (options.continuous) {
        const main = clip(actions[offset]);
        const side = clip(actions[offset + 1]);
        const size = Math.abs(side);
        step(n, main > 0 ? (main + 1) / 2 : 0, size > 0.5 ? size : 0, Math.sign(side));
      } else {
        const action = actions[offset];
        step(n, action === 2 ? 1 : 0, action === 1 || action === 3 ? 1 : 0, action - 2);
      }
    },
    writeObservation(n, out, offset) {
      for (let k = 0; k < OBSERVATION_SIZE; k++) out[offset + k] = observations[n * OBSERVATION_SIZE + k];
    },
    getState: (n) => ({ seed: seeds[n], lander: saveLander(landers[n]) }),
    setState(n, state) {
      const { seed, lander } = state as JsonObject;
      create(n, seed as number);
      restoreLander(landers[n], lander as JsonObject);
      shaping[n] = observe(n);
    },
    render: (n) => drawLander(landers[n]),
  };
};

function readOptions(given: JsonObject | undefined) {
  const options = readEnvOptions(ENV_ID, given, {
    continuous: false,
    gravity: -10,
    enableWind: false,
    windPower: 15,
    turbulencePower: 1.5,
    maxEpisodeSteps: 1000,
    resetRng: 'operant',
  });
  checkGravity(options.gravity);
  checkRange(ENV_ID, 'windPower', options.windPower, 0, 20);
  checkRange(ENV_ID, 'turbulencePower', options.turbulencePower, 0, 2);
  return options;
}

function checkGravity(gravity: number): void {
  if (gravity > -12 && gravity < 0) return;
  throw new ConfigError(
    'CONFIG_ENV_OPTION',
    `Expected option \`gravity\` of ${ENV_ID} between -12 and 0, both excluded, got ${gravity}.`,
  );
}

function clip(x: number): number {
  return Math.min(1, Math.max(-1, x));
}

function look({ hull, touches }: Lander, out: Float64Array, k: number): void {
  const { originX: x, originY: y, velocityX, velocityY, angle, spin } = hull;
  out[k] = (x - WIDTH / 2) / (WIDTH / 2);
  out[k + 1] = (y - (PAD_HEIGHT + LEG_DOWN)) / (HEIGHT / 2);
  out[k + 2] = (velocityX * (WIDTH / 2)) / STEPS_PER_SECOND;
  out[k + 3] = (velocityY * (HEIGHT / 2)) / STEPS_PER_SECOND;
  out[k + 4] = angle;
  out[k + 5] = (20 * spin) / STEPS_PER_SECOND;
  out[k + 6] = touches[0] ? 1 : 0;
  out[k + 7] = touches[1] ? 1 : 0;
}

function shapingOf(o: Float64Array, k: number): number {
  const distance = Math.sqrt(o[k] * o[k] + o[k + 1] * o[k + 1]);
  const speed = Math.sqrt(o[k + 2] * o[k + 2] + o[k + 3] * o[k + 3]);
  return -100 * distance - 100 * speed - 100 * Math.abs(o[k + 4]) + 10 * o[k + 6] + 10 * o[k + 7];
}

/** Options in, one lander out. */
export const lunarLander = singleFactory(lunarLanderKernel);
/** N landers in one thread. */
export const lunarLanderVector = vectorFactory(lunarLanderKernel);
