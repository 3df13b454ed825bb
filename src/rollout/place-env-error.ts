/** Environments know their place in their thread; people want that in the run. */
import type { EnvSource } from '../env/env-source.ts';
import { EnvError } from '../errors.ts';

/** An environment's error with its index in the whole run and the environment's id. */
export function placeEnvError(error: unknown, source: EnvSource, firstRow: number): unknown {
  if (!(error instanceof EnvError)) return error;
  const place = { ...error.place, envId: source.id };
  if (error.place.envIndex !== undefined) place.envIndex = error.place.envIndex + firstRow;
  return new EnvError(error.code as 'ENV_THREW', error.message, place, { cause: error.cause });
}
