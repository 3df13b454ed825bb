/**
 * What every on-policy algorithm stands on: environments, policy, arena, learner and runners, made from a config.
 *
 *     env -> rollout worker -> SharedArrayBuffer rollout -> advantage -> learner -> shared weights
 */
import { numLocalRunnersOf } from '../config/derived.ts';
import type { EnvSource } from '../env/env-source.ts';
import type { Space } from '../env/spaces.ts';
import { initializeRollout, ON_POLICY_COLUMNS, type RolloutColumns } from '../experience/layout.ts';
import type { Learner } from '../learner/learner.ts';
import { type Arena, createArena, createArenaPlanner, type Region } from '../memory/arena.ts';
import { mlpParameterLayout } from '../policy/networks/mlp-parameters.ts';
import { isKernelNetwork, type PolicySpec } from '../policy/policy-spec.ts';
import { borrowThreads } from '../rollout/borrowed-threads.ts';
import type { RunnerGroup } from '../rollout/runner-group.ts';
import { reserveSampling } from '../rollout/sampling-layout.ts';
import { dropWarmThreads, warmThreads } from '../rollout/thread-pool.ts';
import { type KernelModule, loadKernels } from '../simd/loader.ts';
import { reserveWeightBuffer, type WeightBufferLayout } from '../weights/weight-buffer.ts';
import { type LossParts, numHelpersOf, type PlanBounds, reserveLearner } from './create-learner.ts';
import { createCentral, createRunners, reserveRunners } from './create-runners.ts';
import { openCurriculum, type RunningCurriculum } from './curriculum/curriculum.ts';
import { chooseEngine, type EngineChoice } from './engine-choice.ts';
import { environmentSource, evaluationSource, probeEnvironment } from './environment-source.ts';
import { locateNetwork } from './locate-network.ts';
import { createObservationScaling, type ObservationScaling } from './observation-statistics.ts';
import { type OnPolicyConfig, sequencesOf } from './on-policy-config.ts';
import { createPolicySpec } from './policy-setup.ts';
import { createPublishing, type Publishing } from './publishing.ts';
import { startAndCreate } from './start-runners.ts';

export type OnPolicySystem = Publishing & {
  readonly source: EnvSource;
  /** Where evaluation plays; null = in `source`. */
  readonly evaluationSource: EnvSource | null;
  readonly spec: PolicySpec;
  readonly observationSpace: Space;
  readonly actionSpace: Space;
  readonly learner: Learner;
  readonly runners: RunnerGroup;
  /** null = the environment's options stay as they are. */
  readonly curriculum: RunningCurriculum | null;
  readonly scaling: ObservationScaling;
  readonly choice: EngineChoice;
  readonly memory: SystemMemory;
  stop(): Promise<void>;
};

/** Where the system's memory lies, for an algorithm that computes in it. */
export interface SystemMemory {
  readonly arena: Arena;
  readonly kernels: KernelModule;
  readonly weightLayout: WeightBufferLayout;
  /** {@link SystemOptions.scratchBytes} of it. */
  readonly scratch: Region;
  /** {@link SystemOptions.numOwnSlots} byte addresses, of `weightLayout.slotBytes` each. */
  readonly ownSlots: readonly number[];
}

/** For algorithms that collect ahead of learning. */
export interface SystemOptions {
  /** Rollouts that are collected, learnt from or kept at the same time. */
  readonly numSets: number;
  /** Versions of the weights that somebody may be acting with, and the next one. */
  readonly numVersions: number;
  readonly columns: RolloutColumns;
  /** Of the algorithm's own in the arena. */
  readonly scratchBytes: (spec: PolicySpec) => number;
  /** Weights that are not published. */
  readonly numOwnSlots: number;
}

const IN_STEP: SystemOptions = {
  numSets: 2,
  numVersions: 2,
  columns: ON_POLICY_COLUMNS,
  scratchBytes: () => 0,
  numOwnSlots: 0,
};

/**
 * Builds the system, its runners ready to collect.
 *
 * @throws ConfigError when environment, options and engine do not fit; EnvError or WorkerError when a runner cannot start. Nothing is
 * left running then.
 */
export async function createOnPolicySystem(
  config: OnPolicyConfig,
  loss: LossParts,
  bounds: PlanBounds,
  options: Partial<SystemOptions> = {},
): Promise<OnPolicySystem> {
  warmThreads({ numThreads: numLocalRunnersOf(config), memoryMb: config.envRunners.workerMemoryMb });
  try {
    return await assembleSystem(config, loss, bounds, { ...IN_STEP, ...options });
  } finally {
    await dropWarmThreads();
  }
}

async function assembleSystem(
  config: OnPolicyConfig,
  loss: LossParts,
  bounds: PlanBounds,
  options: SystemOptions,
): Promise<OnPolicySystem> {
  const { envRunners, learners, debugging } = config;
  const source = environmentSource(config);
  const description = await describePolicy(source, config);
  const { spec, observationSpace } = description;
  const evaluated = await evaluationSource(config, description);
  const curriculum = await openCurriculum(config, source);
  const { deterministic } = debugging;
  const kernels = await loadKernels({ deterministic, native: learners.nativeKernels });
  const choice = await chooseEngine(spec, parameterCount(spec), { ...learners, deterministic });
  const planner = createArenaPlanner();
  const { numEnvs, rolloutLength } = envRunners;
  const columns = { ...options.columns, ...sequencesOf(config) };
  const sampling = reserveSampling(planner, spec, numEnvs, rolloutLength, columns, options.numSets);
  const regions = reserveRunners(planner, spec, config);
  const reserved = await reserveLearner(planner, config, spec, choice, loss, bounds);
  const weightLayout = reserveWeightBuffer(
    planner,
    reserved.parameterCount,
    spec.observationSize,
    options.numVersions,
  );
  const scratch = planner.reserve(options.scratchBytes(spec));
  const ownSlots = Array.from(
    { length: options.numOwnSlots },
    () => planner.reserve(weightLayout.slotBytes).offset,
  );
  const arena = createArena(planner);
  for (const address of sampling.setAddresses) initializeRollout(arena.buffer, address, sampling.rollout);
  const { central, helper } = reserved;
  const runners = await createRunners(config, {
    arena,
    kernels,
    spec,
    source,
    sampling,
    columns,
    weights: weightLayout,
    regions,
    helper,
    central: createCentral(config, spec, central, arena, sampling),
    envOptions: curriculum?.initial ?? null,
  });
  const canLend = 'team' in runners && helper !== null;
  const threads = canLend ? borrowThreads(runners.team, numHelpersOf(config)) : null;
  const learner = await startAndCreate(runners, () => reserved.create(arena, kernels, threads));
  const scaling = createObservationScaling(spec, observationSpace, envRunners.normalizeObservations);
  const policies = createPublishing({ spec, learner, central, scaling, arena, weightLayout });
  return {
    ...description,
    ...policies,
    source,
    evaluationSource: evaluated,
    learner,
    runners,
    curriculum,
    scaling,
    choice,
    memory: { arena, kernels, weightLayout, scratch, ownSlots },
    async stop() {
      await runners.stop();
      await learner.dispose();
    },
  };
}

function parameterCount(spec: PolicySpec): number {
  return isKernelNetwork(spec.network) ? mlpParameterLayout(spec).size : 0;
}

/** What the policy is in this environment. */
function describePolicy(source: EnvSource, { training, envRunners }: OnPolicyConfig) {
  return probeEnvironment(source, (probe) => {
    const spec = createPolicySpec(probe, { ...training, ...envRunners }, locateNetwork);
    const { observationSpace, actionSpace } = probe;
    return { spec, observationSpace, actionSpace };
  });
}
