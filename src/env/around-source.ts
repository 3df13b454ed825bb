/** What a source says to put around its environments. */
import type { EnvSource } from './env-source.ts';
import { withPreviousInputs } from './previous-inputs.ts';
import type { VectorEnv } from './vector-env.ts';
import { wrapListedVector } from './wrappers/listed-wrappers.ts';

/** The environment inside of the source's wrappers, then with what came before behind its observations. Closed where they do not fit. */
export function aroundSource(
  env: VectorEnv,
  { wrappers = [], previousInputs }: Pick<EnvSource, 'wrappers' | 'previousInputs'>,
): VectorEnv {
  try {
    const wrapped = wrapListedVector(env, wrappers);
    return previousInputs === undefined ? wrapped : withPreviousInputs(wrapped, previousInputs);
  } catch (error) {
    env.close?.();
    throw error;
  }
}
