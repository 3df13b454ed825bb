/** The functions of a goal environment, passed on by whatever stands before it. */
import type { Env } from './env.ts';

type GoalFunctions = Pick<Env, 'computeReward' | 'computeTerminated'>;

/** Those that `env` has, still running on it. @param transform what becomes of a reward. */
export function goalFunctions(
  env: GoalFunctions,
  transform: (reward: number) => number = (reward) => reward,
): GoalFunctions {
  return {
    ...(env.computeReward && {
      computeReward: (achieved, desired) => transform(env.computeReward?.(achieved, desired) ?? 0),
    }),
    ...(env.computeTerminated && {
      computeTerminated: (achieved, desired) => env.computeTerminated?.(achieved, desired) ?? false,
    }),
  };
}
