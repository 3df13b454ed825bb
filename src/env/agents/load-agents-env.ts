/** Loads an environment of several agents in this thread and makes N of it. */
import { ConfigError } from '../../errors.ts';
import type { JsonObject } from '../../json.ts';
import type { EnvSource } from '../env-source.ts';
import { callFactory, loadExport, loadFactory } from '../load-env.ts';
import { describeValue } from '../space-values.ts';
import { type AgentsEnvs, createAgentsEnvs } from './agents-envs.ts';
import { type AgentsKernelFactory, isAgentsKernel } from './agents-kernel.ts';
import type { MultiAgentEnv, MultiAgentEnvFactory } from './multi-agent-env.ts';
import { userAgentsKernel } from './user-agents-kernel.ts';

/**
 * Makes the environments of a source: of the module's vector export when it has one, else of its factory.
 *
 * @throws {@link ConfigError} as `makeVectorEnv`, and `CONFIG_ENV_FACTORY` for what is no environment of several agents.
 * Thread: any; the module is imported there.
 */
export async function makeAgentsEnvs(source: EnvSource, numEnvs: number): Promise<AgentsEnvs> {
  return (await loadAgentsEnvsMaker(source))(source.options, numEnvs);
}

/** Makes environments, with the options that it is given in place of the source's. */
export type AgentsEnvsMaker = (options: JsonObject, numEnvs: number) => AgentsEnvs;

/** The same in two steps: the module is loaded once, environments are made at once. */
export async function loadAgentsEnvsMaker(source: EnvSource): Promise<AgentsEnvsMaker> {
  const { id, maxEpisodeSteps } = source;
  if (source.kind === 'module' && source.vectorExport !== null) {
    const create = await loadExport<AgentsKernelFactory>(source, source.vectorExport);
    return (options, numEnvs) => {
      const kernel = callFactory(id, () => create(numEnvs, options));
      if (!isAgentsKernel(kernel)) throw noAgents(id, kernel);
      return createAgentsEnvs(maxEpisodeSteps === null ? kernel : { ...kernel, maxEpisodeSteps });
    };
  }
  const factory = (await loadFactory(source)) as unknown as MultiAgentEnvFactory;
  return (options, numEnvs) => {
    const create = () => callFactory(id, () => factory(options));
    return createAgentsEnvs(userAgentsKernel(create, numEnvs, id, maxEpisodeSteps));
  };
}

/** Makes one environment of several agents, for rendering and checks. */
export async function makeMultiAgentEnv(source: EnvSource): Promise<MultiAgentEnv> {
  const factory = (await loadFactory(source)) as unknown as MultiAgentEnvFactory;
  return callFactory(source.id, () => factory(source.options));
}

function noAgents(id: string, value: unknown): ConfigError {
  return new ConfigError(
    'CONFIG_ENV_FACTORY',
    `Expected \`${id}\` to be an environment of several agents, got ${describeValue(value)}. With one agent, leave out policies, policyFor and selfPlay.`,
  );
}
