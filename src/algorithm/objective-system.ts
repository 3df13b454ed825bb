/**
 * What every algorithm stands on that learns an objective: environments, acting policy, learner and runners, made from a config.
 *
 *     env -> rollout worker -> SharedArrayBuffer rollout -> the algorithm -> batches -> learner -> published weights
 *
 * With a replay buffer in the middle it is off-policy-system.ts; a method that learns from the rollout itself and forgets it (PQN) takes this.
 */
import type { commonOptions } from '../config/common-options.ts';
import type { ResolvedConfig } from '../config/option.ts';
import type { EnvSource } from '../env/env-source.ts';
import { initializeRollout, type RolloutColumns } from '../experience/layout.ts';
import type { ObjectiveLearner } from '../learner/objective-learner.ts';
import { createArena, createArenaPlanner } from '../memory/arena.ts';
import { type ActingNetwork, actingLayout, actingSpecOf } from '../policy/networks/acting-network.ts';
import { type InitializeModelOptions, initializeModel } from '../policy/networks/initialize-model.ts';
import type { ActingSpec } from '../policy/policy-spec.ts';
import { openStream } from '../random/streams.ts';
import type { RunnerGroup } from '../rollout/runner-group.ts';
import { reserveSampling } from '../rollout/sampling-layout.ts';
import { dropWarmThreads, warmThreads } from '../rollout/thread-pool.ts';
import { loadKernels } from '../simd/loader.ts';
import { reserveWeightBuffer } from '../weights/weight-buffer.ts';
import { type ActingWeights, createActingWeights } from './acting-weights.ts';
import { isSimdOnly, type ObjectiveParts, reserveObjectiveLearner } from './create-objective-learner.ts';
import { createCentral, createRunners, reserveRunners } from './create-runners.ts';
import { openCurriculum, type RunningCurriculum } from './curriculum/curriculum.ts';
import { chooseEngine, type EngineChoice } from './engine-choice.ts';
import {
  describeEnvironment,
  type EnvDescription,
  environmentSource,
  evaluationSource,
  probeEnvironment,
} from './environment-source.ts';
import { createObservationScaling, type ObservationScaling } from './observation-statistics.ts';
import { startAndCreate } from './start-runners.ts';

/** The sections that a system is made from. */
export type ObjectiveSystemConfig = Pick<
  ResolvedConfig<typeof commonOptions>,
  'environment' | 'envRunners' | 'evaluation' | 'learners' | 'faultTolerance' | 'reporting' | 'debugging'
>;

/** What an algorithm brings, once it knows the environment. */
export type ObjectiveSystemParts = ObjectiveParts & {
  readonly acting: Omit<ActingNetwork, 'actionMaskSize'>;
  readonly initialization?: InitializeModelOptions;
};

export interface ObjectiveSystemOptions {
  /** Steps of each environment that a call of `collect` makes. */
  readonly rolloutLength: number;
  readonly columns: RolloutColumns;
  /** Threads; 0 = in process. */
  readonly numEnvRunners: number;
}

export type ObjectiveSystem = ActingWeights & {
  readonly source: EnvSource;
  /** Where evaluation plays; null = in `source`. */
  readonly evaluationSource: EnvSource | null;
  readonly observationSpace: EnvDescription['observationSpace'];
  readonly actionSpace: EnvDescription['actionSpace'];
  readonly spec: ActingSpec;
  readonly acting: ActingNetwork;
  readonly learner: ObjectiveLearner;
  readonly runners: RunnerGroup;
  /** null = the environment's options stay as they are. */
  readonly curriculum: RunningCurriculum | null;
  readonly scaling: ObservationScaling;
  readonly choice: EngineChoice;
  stop(): Promise<void>;
};

/**
 * Builds the system, its runners ready to collect. Parameters are initialised, targets are copies.
 *
 * @param describe the algorithm's networks, objective and behaviour in this environment; throws ConfigError for one that it is not for.
 * @throws ConfigError when environment, options and engine do not fit; EnvError or WorkerError when a runner cannot start. Nothing is
 * left running then.
 */
export async function createObjectiveSystem(
  config: ObjectiveSystemConfig,
  options: ObjectiveSystemOptions,
  describe: (env: EnvDescription) => ObjectiveSystemParts,
): Promise<ObjectiveSystem> {
  const { numEnvRunners } = options;
  const numThreads = config.envRunners.runners === 'ray' ? 0 : numEnvRunners;
  warmThreads({ numThreads, memoryMb: config.envRunners.workerMemoryMb });
  try {
    const fixed = { ...config, envRunners: { ...config.envRunners, numEnvRunners } };
    return await assembleSystem(fixed, options, describe);
  } finally {
    await dropWarmThreads();
  }
}

async function assembleSystem(
  config: ObjectiveSystemConfig,
  { rolloutLength, columns }: ObjectiveSystemOptions,
  describe: (env: EnvDescription) => ObjectiveSystemParts,
): Promise<ObjectiveSystem> {
  const { envRunners, learners, debugging } = config;
  const source = environmentSource(config);
  const env = await probeEnvironment(source, describeEnvironment);
  const evaluated = await evaluationSource(config, env);
  const curriculum = await openCurriculum(config, source);
  const { observationSpace, actionSpace, actionMaskSize } = env;
  const parts = describe(env);
  const acting: ActingNetwork = { ...parts.acting, actionMaskSize };
  const spec = actingSpecOf(parts.model, acting);
  const { deterministic } = debugging;
  const kernels = await loadKernels({ deterministic, native: learners.nativeKernels });
  const layout = actingLayout(spec);
  const isUnasked = learners.engine === 'auto' && learners.backend === 'auto';
  const engine = isUnasked && isSimdOnly(parts) ? 'simd' : learners.engine;
  const choice = await chooseEngine(spec, layout.size, { ...learners, engine, deterministic });
  const planner = createArenaPlanner();
  const sampling = reserveSampling(planner, spec, envRunners.numEnvs, rolloutLength, columns);
  const regions = reserveRunners(planner, spec, config);
  const { numLearnerThreads, captureGraph } = learners;
  const learnerOptions = { choice, numLearnerThreads, captureGraph, spec };
  const reserved = await reserveObjectiveLearner(planner, parts, learnerOptions);
  const weightLayout = reserveWeightBuffer(planner, layout.size, spec.observationSize);
  const arena = createArena(planner);
  for (const address of sampling.setAddresses) initializeRollout(arena.buffer, address, sampling.rollout);
  const central = createCentral(config, spec, reserved.central, arena, sampling);
  const common = { arena, kernels, spec, source, sampling, columns, weights: weightLayout, regions };
  const runners = await createRunners(config, {
    ...common,
    helper: null,
    central,
    envOptions: curriculum?.initial ?? null,
  });
  const learner = await startAndCreate(runners, async () => {
    const created = await reserved.create(arena, kernels);
    const stream = openStream(debugging.seed, 'initialize');
    created.writeParameters(initializeModel(parts.model, stream, parts.initialization));
    return created;
  });
  const scaling = createObservationScaling(spec, observationSpace, envRunners.normalizeObservations);
  const publishing = { spec, acting, learner, central: reserved.central, scaling, arena, weightLayout };
  const weights = createActingWeights(publishing);
  return {
    ...weights,
    ...{
      source,
      evaluationSource: evaluated,
      observationSpace,
      actionSpace,
      spec,
      acting,
      runners,
      curriculum,
      scaling,
      choice,
    },
    learner: withNotes(learner, weights),
    async stop() {
      await runners.stop();
      await learner.dispose();
    },
  };
}

/** Whatever changes parameters makes what was published stale. */
export function withNotes(
  learner: ObjectiveLearner,
  { noteUpdate }: Pick<ActingWeights, 'noteUpdate'>,
): ObjectiveLearner {
  return {
    ...learner,
    update(update) {
      noteUpdate();
      return learner.update(update);
    },
    writeParameters(parameters) {
      noteUpdate();
      learner.writeParameters(parameters);
    },
  };
}
