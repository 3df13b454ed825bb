/** Wrappers of which one step is several of the environment's. */
import { ConfigError } from '../../errors.ts';
import type { Env, StepResult } from '../env.ts';
import { flattenObservation } from '../flatten-space.ts';
import { describeSpace } from '../space-json.ts';
import type { Box, Space } from '../spaces.ts';
import { checkCount } from './time.ts';
import { type WrapperState, wrapEnv } from './wrap-env.ts';

/**
 * Takes every action `numSteps` times and adds up the rewards; stops at an end.
 *
 * A `maxEpisodeSteps` that the environment declares, or a time limit put on before, counts the environment's own steps, so the wrapped one
 * declares `ceil(limit / numSteps)` and the last action is taken fewer times where that does not divide. A limit put on after, and the
 * option `maxEpisodeSteps` of training, count the actions.
 */
export function repeatAction(env: Env, numSteps: number): Env {
  checkRepetition(env.observationSpace, numSteps, false);
  return repeating(env, numSteps, (result) => result);
}

/**
 * As {@link repeatAction}, and the observation is the elementwise maximum of the last two: for screens on which sprites
 * flicker. Where the limit makes the last action shorter these are the last two that it saw (one step: its only one); an episode that ends
 * of itself before the last two gives its last one alone. Only observations that count are read.
 *
 * @throws {@link ConfigError} `CONFIG_WRAPPER` when observations are not a Box.
 */
export function maxAndSkipObservation(env: Env, numSteps = 4): Env {
  const space = checkRepetition(env.observationSpace, numSteps, true) as Box;
  const read = (observation: unknown) => {
    const row = space.dtype === 'uint8' ? new Uint8Array(space.size) : new Float32Array(space.size);
    flattenObservation(space, observation, row, 0);
    return row;
  };
  let previous: Float32Array | Uint8Array | null = null;
  return repeating(env, numSteps, (result, k, numAllowed) => {
    const isLast = k === numAllowed || result.terminated || result.truncated;
    if (!isLast) {
      previous = k === numAllowed - 1 ? read(result.observation) : null;
      return result;
    }
    const last = read(result.observation);
    const before = k > 1 ? previous : null;
    if (before !== null) for (let i = 0; i < last.length; i++) last[i] = Math.max(last[i], before[i]);
    return { ...result, observation: last };
  });
}

/** @throws {@link ConfigError} `CONFIG_WRAPPER` for a count below 1, and where a maximum is asked of what is no Box. */
export function checkRepetition(space: Space, numSteps: number, isMax: boolean): Space {
  checkCount(isMax ? 'maxAndSkipObservation' : 'repeatAction', 'numSteps', numSteps);
  if (!isMax || space.kind === 'box') return space;
  throw new ConfigError(
    'CONFIG_WRAPPER',
    `maxAndSkipObservation needs Box observations, got ${describeSpace(space)}.`,
  );
}

/**
 * @param see called with each inner result, its number from 1 and how many there may be; what it gives for the last one is the result of
 * the whole.
 */
function repeating(
  env: Env,
  numSteps: number,
  see: (result: StepResult, k: number, numAllowed: number) => StepResult,
): Env {
  const limit = env.maxEpisodeSteps ?? null;
  // Where the limit divides, the environment around counts it: nothing to remember.
  const isUneven = limit !== null && limit % numSteps !== 0;
  let elapsed = 0;
  const state: WrapperState = {
    getState: () => elapsed,
    setState: (saved) => {
      elapsed = saved as number;
    },
  };
  return wrapEnv(
    env,
    {
      ...(limit !== null && { maxEpisodeSteps: Math.ceil(limit / numSteps) }),
      reset(options) {
        elapsed = 0;
        return env.reset(options);
      },
      step(action) {
        const numAllowed = isUneven && elapsed < limit ? Math.min(numSteps, limit - elapsed) : numSteps;
        let reward = 0;
        for (let k = 1; ; k++) {
          const result = env.step(action);
          const seen = see(result, k, numAllowed);
          reward += result.reward;
          elapsed += 1;
          if (k >= numAllowed || result.terminated || result.truncated) return { ...seen, reward };
        }
      },
    },
    isUneven ? state : undefined,
    true,
  );
}
