/** Wrappers about time: limits, and what an episode amounted to. */
import { ConfigError } from '../../errors.ts';
import type { JsonObject } from '../../json.ts';
import type { Env } from '../env.ts';
import { wrapEnv } from './wrap-env.ts';

/**
 * Truncates after `maxEpisodeSteps` steps. `terminated` is left alone: both flags may be true in one step. In training the
 * environment's own `maxEpisodeSteps` (or the option of that name) does the same; this is for loops of your own. It replaces a limit that `env` only
 * declares; of two such wrappers the smaller counts.
 *
 * @throws {@link ConfigError} `CONFIG_WRAPPER` for a limit below 1.
 */
export function timeLimit(env: Env, maxEpisodeSteps: number): Env {
  checkCount('timeLimit', 'maxEpisodeSteps', maxEpisodeSteps);
  let elapsed = 0;
  return wrapEnv(
    env,
    {
      maxEpisodeSteps,
      reset(options) {
        elapsed = 0;
        return env.reset(options);
      },
      step(action) {
        const result = env.step(action);
        elapsed += 1;
        return elapsed >= maxEpisodeSteps ? { ...result, truncated: true } : result;
      },
    },
    {
      getState: () => elapsed,
      setState: (state) => {
        elapsed = state as number;
      },
    },
  );
}

/**
 * Adds `info.episode = { return, length }` to the step that ends an episode: by its flags, or because it is the last that
 * `maxEpisodeSteps` allows.
 */
export function recordEpisodeStatistics(env: Env): Env {
  let total = 0;
  let length = 0;
  return wrapEnv(
    env,
    {
      reset(options) {
        total = 0;
        length = 0;
        return env.reset(options);
      },
      step(action) {
        const result = env.step(action);
        total += result.reward;
        length += 1;
        const isLast = length === env.maxEpisodeSteps || result.terminated || result.truncated;
        if (!isLast) return result;
        return { ...result, info: { ...result.info, episode: { return: total, length } } };
      },
    },
    {
      getState: () => ({ total, length }),
      setState: (state) => {
        ({ total, length } = state as JsonObject as { total: number; length: number });
      },
    },
  );
}

/** Checks a whole number of a wrapper. */
export function checkCount(wrapper: string, name: string, value: number): void {
  if (Number.isSafeInteger(value) && value >= 1) return;
  throw new ConfigError(
    'CONFIG_WRAPPER',
    `Expected \`${name}\` of ${wrapper} to be an integer >= 1, got ${value}.`,
  );
}
