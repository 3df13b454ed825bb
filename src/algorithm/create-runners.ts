/** Environment runners for a config: worker threads, or in process. */
import { rowPolicyScratchBytes } from '../acting/row-policies.ts';
import type { commonOptions } from '../config/common-options.ts';
import { numEnvRunnersOf, numLocalRunnersOf } from '../config/derived.ts';
import type { ResolvedConfig } from '../config/option.ts';
import type { EnvSource } from '../env/env-source.ts';
import { ConfigError } from '../errors.ts';
import type { RolloutColumns } from '../experience/layout.ts';
import type { JsonObject } from '../json.ts';
import type { Arena, ArenaPlanner, Region } from '../memory/arena.ts';
import type { CentralPolicy } from '../policy/central-policy.ts';
import { type ActingSpec, actsInRunners } from '../policy/policy-spec.ts';
import { type CentralActor, createCentralActor } from '../rollout/central-inference.ts';
import { type ControlRegion, reserveControlWords } from '../rollout/control-words.ts';
import { createInProcessRunnerGroup } from '../rollout/in-process-runner-group.ts';
import { createLocalRunnerGroup, type LocalRunnerGroup } from '../rollout/local-runner-group.ts';
import type { WorkerPlan } from '../rollout/messages.ts';
import type { RunnerGroup } from '../rollout/runner-group.ts';
import type { SamplingLayout } from '../rollout/sampling-layout.ts';
import type { KernelModule } from '../simd/kernels.ts';
import type { WeightBufferLayout } from '../weights/weight-buffer.ts';

/** The sections that runners are made from. */
export type RunnersConfig = Pick<
  ResolvedConfig<typeof commonOptions>,
  'environment' | 'envRunners' | 'learners' | 'faultTolerance' | 'debugging'
>;

export interface RunnerRegions {
  readonly control: ControlRegion;
  /** One per worker; one in all when in process. */
  readonly scratch: readonly Region[];
}

export function reserveRunners(
  planner: ArenaPlanner,
  spec: ActingSpec,
  config: RunnersConfig,
): RunnerRegions {
  const numWorkers = numLocalRunnersOf(config);
  if (config.envRunners.runners === 'ray') return { control: reserveControlWords(planner, 0), scratch: [] };
  const numRegions = Math.max(1, numWorkers);
  const maxRows = Math.ceil(config.envRunners.numEnvs / numRegions);
  const scratchBytes = rowPolicyScratchBytes(spec, maxRows);
  return {
    control: reserveControlWords(planner, numRegions),
    scratch: Array.from({ length: numRegions }, () => planner.reserve(scratchBytes)),
  };
}

export interface RunnerParts {
  readonly arena: Arena;
  readonly kernels: KernelModule;
  readonly spec: ActingSpec;
  readonly source: EnvSource;
  readonly sampling: SamplingLayout;
  /** Of the rollouts of `sampling`. */
  readonly columns: RolloutColumns;
  readonly weights: WeightBufferLayout;
  readonly regions: RunnerRegions;
  /** The workers' part in learning; null = none. */
  readonly helper: WorkerPlan['helper'];
  /** null = the runners act themselves. */
  readonly central: CentralActor | null;
  /** Of the first episodes, laid over the source's, where a curriculum changes them; null = there is none. */
  readonly envOptions: JsonObject | null;
}

/** @throws {@link ConfigError} `CONFIG_ENV_FACTORY` when a bare factory should run in worker threads. */
export async function createRunners(
  config: RunnersConfig,
  parts: RunnerParts,
): Promise<RunnerGroup | LocalRunnerGroup> {
  if (config.envRunners.runners === 'ray') {
    const { createRayRunners } = await import('./create-ray-runners.ts');
    return createRayRunners(config, parts);
  }
  const { envRunners, faultTolerance, debugging } = config;
  const { arena, source, regions, central } = parts;
  const { kernels, spec, sampling, weights, envOptions } = parts;
  const { restartFailedEnvs, nonFinite, maxEnvRestarts } = faultTolerance;
  const limits = { maxEnvRestarts, restartWindowMs: faultTolerance.restartWindowSeconds * 1000 };
  const common = {
    ...{ kernels, spec, sampling, weights, envOptions, seed: debugging.seed, acts: central === null },
    faultPolicy: { restartFailedEnvs, nonFinite },
  };
  if (numEnvRunnersOf(config) === 0) {
    const { poison } = debugging;
    const [scratch] = regions.scratch;
    return createInProcessRunnerGroup({
      ...common,
      ...limits,
      arena,
      source,
      central,
      poison,
      numRows: envRunners.numEnvs,
      scratch,
    });
  }
  if (source.kind === 'factory') {
    throw new ConfigError(
      'CONFIG_ENV_FACTORY',
      `A factory function cannot be posted to a worker thread, and numEnvRunners is ${numEnvRunnersOf(config)}. Export it from a module and give its path, or set numEnvRunners to 0.`,
    );
  }
  return createLocalRunnerGroup({
    plan: { ...common, memory: arena.memory, source, control: regions.control, helper: parts.helper },
    numEnvs: envRunners.numEnvs,
    scratch: regions.scratch,
    central,
    poison: debugging.poison,
    deadlineMs: faultTolerance.workerDeadlineSeconds * 1000,
    maxRestarts: faultTolerance.maxWorkerRestarts,
    ...limits,
    memoryMb: envRunners.workerMemoryMb,
  });
}

/**
 * The actor for central inference: where a network needs it, or the config asks for it; null = the runners act.
 *
 * @throws {@link ConfigError} `CONFIG_INFERENCE` when it is asked for and the engine cannot.
 */
export function createCentral(
  { envRunners, debugging }: RunnersConfig,
  spec: ActingSpec,
  policy: CentralPolicy | null,
  { buffer }: Arena,
  layout: SamplingLayout,
): CentralActor | null {
  const isNeeded = !actsInRunners(spec.network);
  if (!isNeeded && envRunners.inference !== 'central') return null;
  if (policy === null) {
    throw new ConfigError(
      'CONFIG_INFERENCE',
      "inference: 'central' needs the TensorFlow engine, and the engine is simd. Set engine: 'tensorflow', or leave inference out.",
    );
  }
  return createCentralActor({ policy, spec, seed: debugging.seed, buffer, layout });
}
