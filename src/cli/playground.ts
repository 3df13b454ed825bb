/** Whose policy plays, and where: the run's own environment, under other options, or one that is given. */
import { findAlgorithm } from '../../algorithms/find-algorithm.ts';
import {
  checkpointDefinition,
  checkpointLayer,
  requireTrustedModules,
} from '../../algorithms/from-checkpoint.ts';
import type { AgentsConfig } from '../algorithm/agents/agents-policies.ts';
import { type CastOptions, castOptions } from '../algorithm/agents/open-cast.ts';
import { elsewhere, environmentSource, ownEvaluationSource } from '../algorithm/environment-source.ts';
import { loadCheckpoint, resolveCheckpoint } from '../checkpoint/load-checkpoint.ts';
import type { commonOptions } from '../config/common-options.ts';
import type { ResolvedConfig } from '../config/option.ts';
import type { AlgorithmDefinition } from '../define/define-algorithm.ts';
import type { EnvSource } from '../env/env-source.ts';
import { ConfigError } from '../errors.ts';
import { readEnvOptions } from './check-command.ts';
import type { FlagSpec, FlagValues } from './flags.ts';

type CommonConfig = ResolvedConfig<typeof commonOptions>;

/** Flags of the commands that put a policy into a game. */
export const GAME_FLAGS: readonly FlagSpec[] = [
  { name: 'checkpoint', form: '<folder>', doc: 'A checkpoint, or a run folder (its latest).' },
  { name: 'env', form: '<id|path>', doc: "The game, where the run's own has moved. [the run's]" },
  { name: 'env-options', form: '<JSON>', doc: "Options for the game. [the run's]" },
  {
    name: 'trust',
    form: '',
    doc: 'Load the module of the environment that the checkpoint names: its code runs.',
  },
];

/** The checkpoint that `--checkpoint` means. @param question what is not known without it. */
export async function givenCheckpoint(flags: FlagValues, question: string): Promise<string> {
  const path = flags.get('checkpoint');
  if (path !== undefined) return resolveCheckpoint(path);
  throw new ConfigError(
    'CONFIG_FLAG',
    `${question} Give --checkpoint <folder>: a checkpoint or a run folder.`,
  );
}

/** As the run was configured, where no flag says otherwise. */
export interface Playground extends Pick<CommonConfig, 'evaluation' | 'faultTolerance'> {
  readonly source: EnvSource;
  /** The run has several agents, who play together or not at all. */
  readonly hasSeveralAgents: boolean;
  /** Who they are; null = there is one. */
  readonly cast: AgentsCast | null;
}

/** The run's options about who acts for whom; and what a flag says instead. */
export interface AgentsCast extends Pick<CastOptions, 'config' | 'isSelfPlay' | 'exploiters' | 'policyFor'> {}

/**
 * @param flags `env`, `env-options`, `algo` and `trust`.
 * @throws CheckpointError `CHECKPOINT_TRUST` for modules of somebody's own that are neither trusted nor given; ConfigError.
 */
export async function playground(checkpoint: string, flags: FlagValues): Promise<Playground> {
  const loaded = await loadCheckpoint(checkpoint, { withSegments: false });
  const definition = await checkpointDefinition(loaded, await givenAlgorithm(flags));
  const env = flags.get('env');
  const given = env === undefined ? {} : { environment: { env }, evaluation: { evaluationEnv: null } };
  requireTrustedModules(loaded, definition, [given], flags.get('trust') === 'true', 'play');
  const config = definition.resolve([checkpointLayer(loaded), { values: given }]) as unknown as CommonConfig;
  const { evaluation, faultTolerance } = config;
  const hasSeveralAgents = loaded.content.json['agents.json'] !== undefined;
  const cast = hasSeveralAgents ? castOptions(config as unknown as AgentsConfig) : null;
  return { source: placeOf(config, flags), evaluation, faultTolerance, hasSeveralAgents, cast };
}

/** `--env` under `--env-options`; the run's environment, under these; or where the run is evaluated. */
function placeOf(config: CommonConfig, flags: FlagValues): EnvSource {
  const options = readEnvOptions(flags);
  const given = flags.get('env');
  if (given !== undefined) {
    return environmentSource({ environment: elsewhere(config.environment, given, options) });
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
