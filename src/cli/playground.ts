/** Where `operant evaluate` plays: the run's own environment, under other options, or one that is given. */
import { findAlgorithm } from '../../algorithms/find-algorithm.ts';
import {
  checkpointDefinition,
  checkpointLayer,
  requireTrustedModules,
} from '../../algorithms/from-checkpoint.ts';
import { loadCheckpoint } from '../checkpoint/load-checkpoint.ts';
import type { commonOptions } from '../config/common-options.ts';
import type { ResolvedConfig } from '../config/option.ts';
import type { AlgorithmDefinition } from '../define/define-algorithm.ts';
import { type EnvModuleSource, resolveEnv } from '../env/env-source.ts';
import { ConfigError } from '../errors.ts';
import type { JsonObject } from '../json.ts';
import { readEnvOptions } from './check-command.ts';
import type { FlagValues } from './flags.ts';

export interface Playground {
  readonly source: EnvModuleSource;
  /** As the run was configured. */
  readonly evaluation: ResolvedConfig<typeof commonOptions>['evaluation'];
}

/**
 * @param flags `env`, `env-options` and `algo`.
 * @throws CheckpointError `CHECKPOINT_TRUST` for modules of somebody's own that are neither trusted nor given; ConfigError.
 */
export async function playground(checkpoint: string, flags: FlagValues, trust: boolean): Promise<Playground> {
  const loaded = await loadCheckpoint(checkpoint, { withSegments: false });
  const definition = await checkpointDefinition(loaded, await givenAlgorithm(flags));
  const env = flags.get('env');
  const given = env === undefined ? {} : { environment: { env }, evaluation: { evaluationEnv: null } };
  requireTrustedModules(loaded, definition, [given], trust);
  const options = readEnvOptions(flags);
  const saved = ((checkpointLayer(loaded).values as JsonObject).environment ?? {}) as JsonObject;
  const name = env ?? saved.env;
  if (typeof name !== 'string' || name.startsWith('function:')) {
    throw new ConfigError(
      'CONFIG_RENDER',
      'The run was made with a factory in code, which no file can hold: give --env, or evaluate and render it there.',
    );
  }
  const config = definition.resolve([checkpointLayer(loaded), { values: given }]);
  const { evaluation } = config as unknown as ResolvedConfig<typeof commonOptions>;
  const source = resolveEnv(
    name,
    env === undefined ? { ...(saved.envOptions as JsonObject), ...options } : options,
  );
  const { maxEpisodeSteps } = saved;
  const isLimited = env === undefined && typeof maxEpisodeSteps === 'number';
  return { source: isLimited ? { ...source, maxEpisodeSteps } : source, evaluation };
}

/** What `--algo` names: our own by name need not be given. */
export async function givenAlgorithm(flags: FlagValues): Promise<AlgorithmDefinition | undefined> {
  const name = flags.get('algo');
  return name === undefined ? undefined : findAlgorithm(name);
}
