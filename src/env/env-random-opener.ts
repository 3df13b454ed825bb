/** Which random numbers an environment draws: our own streams, or NumPy's where Gymnasium's seeded resets are wanted. */
import { ConfigError } from '../errors.ts';
import { type EnvRandom, openEnvRandom } from './env-random.ts';
import { openNumpyRandom } from './numpy-random.ts';

/**
 * How an environment opens its generator, after its option `resetRng`: `operant` (our streams) or `numpy` (draw for draw
 * that of Gymnasium, where `reset(seed=s)` is called for every episode).
 *
 * @throws {@link ConfigError} `CONFIG_ENV_OPTION` for anything else.
 */
export function envRandomOpener(envId: string, resetRng: string): (seed: number) => EnvRandom {
  if (resetRng === 'operant') return openEnvRandom;
  if (resetRng === 'numpy') return openNumpyRandom;
  throw new ConfigError(
    'CONFIG_ENV_OPTION',
    `Expected option \`resetRng\` of ${envId} to be operant or numpy, got \`${resetRng}\`.`,
  );
}
