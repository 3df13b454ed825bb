/** An environment whose step takes as long as it is told to, most of them less, some much more: what asynchrony is measured in. */

import type { Env } from '../src/env/env.ts';
import { type EnvRandom, openEnvRandom } from '../src/env/env-random.ts';
import { Box, Discrete } from '../src/env/spaces.ts';

/** A thread that sleeps for less than this wakes up too late; it turns instead. */
const SHORTEST_SLEEP_MS = 0.2;
const EPISODE_STEPS = 50;
const cell = new Int32Array(new SharedArrayBuffer(4));

/** P(X > x) = x^-1.5 for x from 1 to 100, where it is cut. */
const TAIL = 1.5;
const LONGEST = 100;
/** Mean of that: the integral of P(X > x) from 0 to 100. */
const MEAN = 1 + (1 - LONGEST ** (1 - TAIL)) / (TAIL - 1);

/**
 * A step's time for u uniform in [0, 1), in units of its mean: a Pareto variable, cut at a hundred times the shortest. Half of all steps take less
 * than 0.57 of the mean, one in a hundred more than 7.7.
 */
export function stepTime(u: number): number {
  return Math.min(LONGEST, (1 - u) ** (-1 / TAIL)) / MEAN;
}

/** @param options `stepMs`: mean milliseconds of a step. */
export default function slowEnv({ stepMs = 1 }: { readonly stepMs?: number } = {}): Env {
  let random: EnvRandom = openEnvRandom(0);
  const observation = new Float32Array(4); // [4] f32
  let steps = 0;
  const look = () => {
    for (let k = 0; k < observation.length; k++) observation[k] = random.random();
    return observation;
  };
  return {
    observationSpace: new Box(0, 1, [observation.length]),
    actionSpace: new Discrete(2),
    reset({ seed = 0 } = {}) {
      random = openEnvRandom(seed);
      steps = 0;
      return { observation: look() };
    },
    step(action) {
      const wanted = observation[0] > 0.5 ? 1 : 0;
      spend(stepMs * stepTime(random.random()));
      steps += 1;
      const reward = action === wanted ? 1 : 0;
      return { observation: look(), reward, terminated: steps === EPISODE_STEPS, truncated: false };
    },
  };
}

function spend(ms: number): void {
  const end = performance.now() + ms;
  if (ms >= SHORTEST_SLEEP_MS) Atomics.wait(cell, 0, 0, ms);
  while (performance.now() < end);
}
