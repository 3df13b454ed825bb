/** Goal environments: where goals lie in an observation, and the reward that another goal would have given. */
import type { Env } from '../env/env.ts';
import type { EnvSource } from '../env/env-source.ts';
import { flatSize } from '../env/flatten-space.ts';
import { makeAnyEnv } from '../env/load-env.ts';
import type { Space } from '../env/spaces.ts';
import { ConfigError } from '../errors.ts';
import type { GoalLayout } from './replay-spec.ts';

/** Rewards for goals that were not the episode's own; see `Env.computeReward`. */
export interface GoalReward {
  computeReward(achievedGoal: Float32Array, desiredGoal: Float32Array): number;
  computeTerminated?(achievedGoal: Float32Array, desiredGoal: Float32Array): boolean;
  /** Closes the environment that it asks. */
  close(): void;
}

/**
 * Where the goals lie in the flat observation, in which the parts of a Dict follow each other in the order of its keys.
 *
 * @throws {@link ConfigError} `CONFIG_GOAL` when the space is not a Dict with `observation`, `achievedGoal` and `desiredGoal`, the goals
 * of the same size.
 */
export function goalLayout(space: Space): GoalLayout {
  const parts = space.kind === 'dict' ? Object.entries(space.spaces) : [];
  let offset = 0;
  const places = new Map<string, { readonly offset: number; readonly size: number }>();
  for (const [name, part] of parts) {
    const size = flatSize(part);
    places.set(name, { offset, size });
    offset += size;
  }
  const achievedGoal = places.get('achievedGoal');
  const desiredGoal = places.get('desiredGoal');
  if (places.has('observation') && achievedGoal && desiredGoal && achievedGoal.size === desiredGoal.size) {
    return { achievedGoal, desiredGoal };
  }
  const found = space.kind === 'dict' ? `a Dict of ${[...places.keys()].join(', ')}` : `a ${space.kind}`;
  throw new ConfigError(
    'CONFIG_GOAL',
    `Hindsight relabelling needs a Dict observation with \`observation\`, \`achievedGoal\` and \`desiredGoal\`, both goals of the same size, got ${found}. ` +
      'Give the environment such a space, or leave hindsight out.',
  );
}

/**
 * The reward function of an environment, for the thread that learns: it makes an instance of its own, which is asked and never stepped.
 *
 * @throws ConfigError as `makeAnyEnv`; `CONFIG_GOAL` when the environment has no `computeReward`.
 */
export async function loadGoalReward(source: EnvSource): Promise<GoalReward> {
  const env = await makeAnyEnv(source);
  const { computeReward } = env;
  if (computeReward === undefined) {
    env.close?.();
    throw new ConfigError(
      'CONFIG_GOAL',
      `Hindsight relabelling needs a method \`computeReward(achievedGoal, desiredGoal)\` on environment \`${source.id}\`, which has none. ` +
        'Add it (a wrapper that changes rewards or goals leaves it out), or leave hindsight out.',
    );
  }
  return {
    computeReward: (achieved, desired) => computeReward.call(env, achieved, desired),
    ...terminatedOf(env),
    close: () => void env.close?.(),
  };
}

function terminatedOf(env: Pick<Env, 'computeTerminated'>): Pick<GoalReward, 'computeTerminated'> {
  const { computeTerminated } = env;
  if (computeTerminated === undefined) return {};
  return { computeTerminated: (achieved, desired) => computeTerminated.call(env, achieved, desired) };
}
