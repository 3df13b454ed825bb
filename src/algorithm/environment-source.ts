/** Which environment a config means, and what it looks like. */
import type { commonOptions } from '../config/common-options.ts';
import type { ResolvedConfig } from '../config/option.ts';
import type { FrameStack } from '../env/env.ts';
import { type EnvSource, factorySource, resolveEnv } from '../env/env-source.ts';
import { flattenActionSpace } from '../env/flatten-action.ts';
import { flattenObservationSpace } from '../env/flatten-space.ts';
import { makeVectorEnv } from '../env/load-env.ts';
import type { FlatAction, FlatObservation, Space } from '../env/spaces.ts';
import type { VectorEnv } from '../env/vector-env.ts';

export function environmentSource({
  environment,
}: Pick<ResolvedConfig<typeof commonOptions>, 'environment'>): EnvSource {
  const { env, envOptions, maxEpisodeSteps } = environment;
  const source = typeof env === 'function' ? factorySource(env, envOptions) : resolveEnv(env, envOptions);
  return maxEpisodeSteps === null ? source : { ...source, maxEpisodeSteps };
}

/** What networks are made for. */
export interface EnvDescription {
  readonly observationSpace: Space;
  readonly actionSpace: Space;
  readonly observation: FlatObservation;
  readonly action: FlatAction;
  /** Elements of an action mask; 0 = none. */
  readonly actionMaskSize: number;
  /** How its observations are stacked, where a wrapper did that; null = they are whole. */
  readonly frameStack: FrameStack | null;
}

/** Looks at one environment with `look`, and closes it again. */
export async function probeEnvironment<T>(source: EnvSource, look: (env: VectorEnv) => T): Promise<T> {
  const probe = await makeVectorEnv(source, 1);
  try {
    return look(probe);
  } finally {
    probe.close?.();
  }
}

/** @throws ConfigError `CONFIG_ACTION_SPACE` for an action space that no policy has. */
export function describeEnvironment({
  observationSpace,
  actionSpace,
  actionMaskSize,
  frameStack,
}: VectorEnv): EnvDescription {
  const observation = flattenObservationSpace(observationSpace);
  return {
    observationSpace,
    actionSpace,
    observation,
    action: flattenActionSpace(actionSpace),
    actionMaskSize,
    frameStack: frameStack ?? null,
  };
}
