/** Wrappers that change rewards. Episode returns that training reports are then those of the changed rewards. */
import { ConfigError } from '../../errors.ts';
import type { Env } from '../env.ts';
import { goalFunctions } from '../goal-functions.ts';
import { wrapEnv } from './wrap-env.ts';

/** Passes every reward through a function. */
export function transformReward(env: Env, transform: (reward: number) => number): Env {
  return wrapEnv(env, {
    step(action) {
      const result = env.step(action);
      return { ...result, reward: transform(result.reward) };
    },
    ...goalFunctions(env, transform),
  });
}

/**
 * Clips rewards to [low, high].
 *
 * @throws {@link ConfigError} `CONFIG_WRAPPER` when low > high.
 */
export function clipReward(env: Env, low = -1, high = 1): Env {
  if (!(low <= high)) {
    throw new ConfigError(
      'CONFIG_WRAPPER',
      `Expected \`low\` <= \`high\` of clipReward, got ${low} and ${high}.`,
    );
  }
  return transformReward(env, (reward) => Math.min(Math.max(reward, low), high));
}
