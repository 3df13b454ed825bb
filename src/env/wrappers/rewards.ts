/** Wrappers that change rewards. Episode returns that training reports are then those of the changed rewards. */
import { ConfigError } from '../../errors.ts';
import type { JsonValue } from '../../json.ts';
import type { Env } from '../env.ts';
import { goalFunctions } from '../goal-functions.ts';
import type { ActionArray, StepRows, VectorEnv } from '../vector-env.ts';
import { wrapEnv } from './wrap-env.ts';
import { wrapVectorEnv } from './wrap-vector-env.ts';

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
  return transformReward(env, clipTo(low, high));
}

/** The same for every row of a vector environment. */
export function clipVectorRewards(env: VectorEnv, low = -1, high = 1): VectorEnv {
  const clip = clipTo(low, high);
  return wrapVectorEnv<VectorEnv>(env, {
    ...(env.frameStack && { frameStack: env.frameStack }),
    step(actions, nextSeeds, out) {
      env.step(actions, nextSeeds, out);
      for (let n = 0, i = out.scalarOffset; n < env.numRows; n++, i += out.scalarStride)
        out.rewards[i] = clip(out.rewards[i]);
    },
    ...(env.lastReward && { lastReward: (n: number) => clip(env.lastReward?.(n) ?? 0) }),
    ...(env.getState && { getState: (n: number) => env.getState?.(n) ?? null }),
    ...(env.setState && {
      setState: (n: number, state: JsonValue, out: StepRows) => env.setState?.(n, state, out),
    }),
    ...(env.replay && {
      replay: (n: number, seed: number | null, actions: ActionArray, numSteps: number, out: StepRows) =>
        env.replay?.(n, seed, actions, numSteps, out) ?? false,
    }),
  });
}

function clipTo(low: number, high: number): (reward: number) => number {
  if (!(low <= high)) {
    throw new ConfigError(
      'CONFIG_WRAPPER',
      `Expected \`low\` <= \`high\` of clipReward, got ${low} and ${high}.`,
    );
  }
  return (reward) => Math.min(Math.max(reward, low), high);
}
