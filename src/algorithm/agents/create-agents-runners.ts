/** Reserves what the runners of several agents need in the arena, and makes them: worker threads, or in process. */
import { ConfigError } from '../../errors.ts';
import type { Arena, ArenaPlanner, Region } from '../../memory/arena.ts';
import type { AgentsPlan } from '../../rollout/agents/agents-plan.ts';
import { agentsScratchBytes } from '../../rollout/agents/agents-runner.ts';
import {
  type AgentsGroupOptions,
  type AgentsRunnerGroup,
  createAgentsRunnerGroup,
} from '../../rollout/agents/agents-runner-group.ts';
import { type ControlRegion, reserveControlWords } from '../../rollout/control-words.ts';
import type { WorkerPlan } from '../../rollout/messages.ts';
import type { KernelModule } from '../../simd/kernels.ts';
import type { StageConfig } from './agents-stage.ts';

/** What runners of any number need of the arena. */
export interface AgentsRegions {
  readonly numEnvRunners: number;
  readonly control: ControlRegion;
  /** One for each worker; one in all where there is none. */
  readonly scratch: readonly Region[];
}

export function reserveAgentsRunners(
  planner: ArenaPlanner,
  { envRunners }: StageConfig,
  numEnvRunners: number,
  agents: AgentsPlan,
): AgentsRegions {
  const numRegions = Math.max(1, numEnvRunners);
  const scratchBytes = agentsScratchBytes(agents, Math.ceil(envRunners.numEnvs / numRegions));
  const scratch = Array.from({ length: numRegions }, () => planner.reserve(scratchBytes));
  return { numEnvRunners, scratch, control: reserveControlWords(planner, numRegions) };
}

export interface AgentsRunnerParts
  extends Pick<AgentsGroupOptions, 'source' | 'agents' | 'learns' | 'envOptions'> {
  readonly arena: Arena;
  readonly kernels: KernelModule;
  readonly regions: AgentsRegions;
  /** The workers' part in learning; null = none. */
  readonly helper: WorkerPlan['helper'];
}

/** @throws ConfigError `CONFIG_ENV_FACTORY` when a bare factory should run in worker threads. */
export function createAgentsRunners(config: StageConfig, parts: AgentsRunnerParts): AgentsRunnerGroup {
  const { regions, helper: _learning, ...common } = parts;
  return createAgentsRunnerGroup({
    ...common,
    seed: config.debugging.seed,
    numEnvs: config.envRunners.numEnvs,
    scratch: regions.scratch,
    threads: regions.numEnvRunners === 0 ? null : threadOptions(config, parts),
  });
}

/** What workers are made from. */
function threadOptions(
  { faultTolerance, envRunners, debugging }: StageConfig,
  { arena, kernels, source, agents, regions, helper, envOptions }: AgentsRunnerParts,
): AgentsGroupOptions['threads'] {
  const { control, numEnvRunners } = regions;
  if (source.kind === 'factory') {
    throw new ConfigError(
      'CONFIG_ENV_FACTORY',
      `A factory function cannot be posted to a worker thread, and numEnvRunners is ${numEnvRunners}. Export it from a module and give its path, or set numEnvRunners to 0.`,
    );
  }
  return {
    plan: {
      ...{ memory: arena.memory, kernels, source, control, helper, agents, envOptions },
      seed: debugging.seed,
    },
    deadlineMs: faultTolerance.workerDeadlineSeconds * 1000,
    maxRestarts: faultTolerance.maxWorkerRestarts,
    restartWindowMs: faultTolerance.restartWindowSeconds * 1000,
    memoryMb: envRunners.workerMemoryMb,
  };
}
