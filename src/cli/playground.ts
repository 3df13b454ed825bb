/** Where `operant evaluate` plays: the run's own environment, under other options, or one that is given. */
import { findAlgorithm } from '../../algorithms/find-algorithm.ts';
import {
  checkpointDefinition,
  checkpointLayer,
  requireTrustedModules,
} from '../../algorithms/from-checkpoint.ts';
import { environmentSource, ownEvaluationSource } from '../algorithm/environment-source.ts';
import { loadCheckpoint } from '../checkpoint/load-checkpoint.ts';
import type { commonOptions } from '../config/common-options.ts';
import type { ResolvedConfig } from '../config/option.ts';
import type { AlgorithmDefinition } from '../define/define-algorithm.ts';
import type { EnvSource } from '../env/env-source.ts';
import { ConfigError } from '../errors.ts';
import { readEnvOptions } from './check-command.ts';
import type { FlagValues } from './flags.ts';

type CommonConfig = ResolvedConfig<typeof commonOptions>;

/** As the run was configured, where no flag says otherwise. */
export interface Playground extends Pick<CommonConfig, 'evaluation' | 'faultTolerance'> {
  readonly source: EnvSource;
  /** The run has several agents, who play together or not at all. */
  readonly hasSeveralAgents: boolean;
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
  const config = definition.resolve([checkpointLayer(loaded), { values: given }]) as unknown as CommonConfig;
  const { evaluation, faultTolerance } = config;
  const hasSeveralAgents = loaded.content.json['agents.json'] !== undefined;
  return { source: placeOf(config, flags), evaluation, faultTolerance, hasSeveralAgents };
}

/** `--env` under `--env-options`; the run's environment, under these; or where the run is evaluated. */
function placeOf(config: CommonConfig, flags: FlagValues): EnvSource {
  const options = readEnvOptions(flags);
  const given = flags.get('env');
  if (given !== undefined) {
    return environmentSource({
      environment: { ...config.environment, env: given, envOptions: options, maxEpisodeSteps: null },
    });
  }
  const { env, envOptions } = config.environment;
  if (typeof env !== 'string' || env.startsWith('function:')) {
    throw new ConfigError(
      'CONFIG_RENDER',
      'The run was made with a factory in code, which no file can hold: give --env, or evaluate and render it there.',
    );
  }
  if (!flags.has('env-options')) return ownEvaluationSource(config) ?? environmentSource(config);
  return environmentSource({
    environment: { ...config.environment, envOptions: { ...envOptions, ...options } },
  });
}

/** What `--algo` names: our own by name need not be given. */
export async function givenAlgorithm(flags: FlagValues): Promise<AlgorithmDefinition | undefined> {
  const name = flags.get('algo');
  return name === undefined ? undefined : findAlgorithm(name);
}
