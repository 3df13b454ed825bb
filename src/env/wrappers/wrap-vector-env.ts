/** What every wrapper of a vector environment is made with. */
import { ConfigError } from '../../errors.ts';
import type { VectorEnv } from '../vector-env.ts';

/**
 * A vector environment like `env`, with some members replaced. All others still run on `env` itself, also those of a class. Left out are
 * `frameStack`, `getState`, `setState`, `replay` and `lastReward`, which hold for `env` alone: a wrapper that can keep their promises replaces them.
 */
export function wrapVectorEnv<T extends VectorEnv>(
  env: VectorEnv,
  replaced: Partial<VectorEnv> & Omit<T, keyof VectorEnv>,
): T {
  if (env.deferred !== undefined && replaced.deferred === undefined) {
    throw new ConfigError(
      'CONFIG_ENV_ASYNC',
      'A wrapper of vector environments needs environments that answer at once, and these are asynchronous: do in the environment what the wrapper would.',
    );
  }
  const wrapped: VectorEnv = {
    numEnvs: env.numEnvs,
    numRows: env.numRows,
    policyOf: env.policyOf,
    observationSpace: env.observationSpace,
    actionSpace: env.actionSpace,
    actionMaskSize: env.actionMaskSize,
    ...(env.maxEpisodeSteps === undefined ? {} : { maxEpisodeSteps: env.maxEpisodeSteps }),
    autoreset: env.autoreset,
    reset: (seeds, out) => env.reset(seeds, out),
    step: (actions, nextSeeds, out) => env.step(actions, nextSeeds, out),
    resetRows: (mask, seeds, out) => env.resetRows(mask, seeds, out),
    ...(env.render && { render: (n, mode) => env.render?.(n, mode) ?? '' }),
    ...(env.close && { close: () => env.close?.() }),
    ...replaced,
  };
  return wrapped as T;
}
