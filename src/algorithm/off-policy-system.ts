/**
 * What every off-policy algorithm stands on: environments, acting policy, replay, learner and runners, made from a config.
 *
 *     env -> fragment of `trainEvery` steps -> replay -> batches -> learner -> published weights
 *
 * An algorithm says what its networks and its objective are ({@link OffPolicyParts}) and keeps the loop:
 *
 *     const fragments = createFragments({ system, numSteps, lag, exploration });
 *     fragments.begin(numFragments, numEnvSteps);
 *     for (...) {
 *       const next = fragments.next();
 *       const { rollout } = next instanceof Promise ? await next : next;
 *       replay.append(rollout);
 *       await learner.update({ numUpdates: numUpdatesDue(training, before, after), fill, scalars, ... });
 *     }
 */
import type { EnvSource } from '../env/env-source.ts';
import type { ObjectiveLearner } from '../learner/objective-learner.ts';
import { createArena, createArenaPlanner } from '../memory/arena.ts';
import { type ActingNetwork, actingLayout, actingSpecOf } from '../policy/networks/acting-network.ts';
import { type InitializeModelOptions, initializeModel } from '../policy/networks/initialize-model.ts';
import { type ActingSpec, actionDtype, actionSize } from '../policy/policy-spec.ts';
import { openStream } from '../random/streams.ts';
import { availableMemory } from '../replay/available-memory.ts';
import { createReplay, type Replay } from '../replay/replay.ts';
import { checkReplayMemory, type ReplaySpec } from '../replay/replay-spec.ts';
import { initializeRollout, OFF_POLICY_COLUMNS } from '../rollout/layout.ts';
import type { RunnerGroup } from '../rollout/runner-group.ts';
import { reserveSampling } from '../rollout/sampling-layout.ts';
import { dropWarmThreads, warmThreads } from '../rollout/thread-pool.ts';
import { loadKernels } from '../simd/loader.ts';
import { reserveWeightBuffer } from '../weights/weight-buffer.ts';
import { type ActingWeights, createActingWeights } from './acting-weights.ts';
import { type ObjectiveParts, reserveObjectiveLearner } from './create-objective-learner.ts';
import { createCentral, createRunners, reserveRunners } from './create-runners.ts';
import { chooseEngine, type EngineChoice } from './engine-choice.ts';
import {
  describeEnvironment,
  type EnvDescription,
  environmentSource,
  probeEnvironment,
} from './environment-source.ts';
import { numOffPolicyRunners } from './num-off-policy-runners.ts';
import { createObservationScaling, type ObservationScaling } from './observation-statistics.ts';
import type { OffPolicyConfig } from './off-policy-config.ts';
import { startAndCreate } from './start-runners.ts';

/** What an algorithm brings, once it knows the environment. */
export type OffPolicyParts = Omit<ObjectiveParts, 'batchSize'> & {
  readonly acting: Omit<ActingNetwork, 'actionMaskSize'>;
  readonly replay: Pick<ReplaySpec, 'capacity' | 'bytes' | 'frameStack' | 'goal'>;
  /** Whether sampling keeps priorities, which take memory. */
  readonly isPrioritised?: boolean;
  readonly initialization?: InitializeModelOptions;
};

export type OffPolicySystem = ActingWeights & {
  readonly source: EnvSource;
  readonly observationSpace: EnvDescription['observationSpace'];
  readonly actionSpace: EnvDescription['actionSpace'];
  readonly spec: ActingSpec;
  readonly acting: ActingNetwork;
  readonly learner: ObjectiveLearner;
  readonly replay: Replay;
  /** One line for people: what the replay buffer takes. */
  readonly replayMemory: string;
  readonly runners: RunnerGroup;
  readonly scaling: ObservationScaling;
  readonly choice: EngineChoice;
  stop(): Promise<void>;
};

/**
 * Builds the system, its runners ready to collect.
 *
 * @param describe the algorithm's networks, objective and behaviour in this environment; throws ConfigError for one that it is not for.
 * @throws ConfigError when environment, options, memory and engine do not fit; EnvError or WorkerError when a runner cannot start.
 * Nothing is left running then.
 */
export async function createOffPolicySystem(
  config: OffPolicyConfig,
  describe: (env: EnvDescription) => OffPolicyParts,
): Promise<OffPolicySystem> {
  const numEnvRunners = numOffPolicyRunners(config);
  warmThreads({ numThreads: numEnvRunners, memoryMb: config.envRunners.workerMemoryMb });
  try {
    return await assembleSystem({ ...config, envRunners: { ...config.envRunners, numEnvRunners } }, describe);
  } finally {
    await dropWarmThreads();
  }
}

async function assembleSystem(
  config: OffPolicyConfig,
  describe: (env: EnvDescription) => OffPolicyParts,
): Promise<OffPolicySystem> {
  const { envRunners, learners, debugging, training } = config;
  const source = environmentSource(config);
  const env = await probeEnvironment(source, describeEnvironment);
  const parts = describe(env);
  const { model } = parts;
  const acting: ActingNetwork = { ...parts.acting, actionMaskSize: env.actionMaskSize };
  const spec = actingSpecOf(model, acting);
  const replaySpec = replaySpecOf(spec, envRunners.numEnvs, parts.replay);
  const replayMemory = checkReplayMemory(replaySpec, availableMemory(), parts.isPrioritised);
  const { deterministic } = debugging;
  const kernels = await loadKernels({ deterministic, native: learners.nativeKernels });
  const layout = actingLayout(spec);
  const choice = await chooseEngine(spec, layout.size, { ...learners, deterministic });
  const planner = createArenaPlanner();
  const { numEnvs } = envRunners;
  const sampling = reserveSampling(planner, spec, numEnvs, training.trainEvery, OFF_POLICY_COLUMNS);
  const regions = reserveRunners(planner, spec, config);
  const objectiveParts = { ...parts, batchSize: training.batchSize };
  const options = { choice, numLearnerThreads: learners.numLearnerThreads };
  const reserved = await reserveObjectiveLearner(planner, objectiveParts, options);
  const weightLayout = reserveWeightBuffer(planner, layout.size, spec.observationSize);
  const arena = createArena(planner);
  for (const address of sampling.setAddresses) initializeRollout(arena.buffer, address, sampling.rollout);
  const central = createCentral(config, spec, reserved.central, arena, sampling);
  const common = { arena, kernels, spec, source, sampling, weights: weightLayout, regions };
  const runners = createRunners(config, { ...common, helper: null, central });
  const learner = await startAndCreate(runners, async () => {
    const created = await reserved.create(arena, kernels);
    created.writeParameters(
      initializeModel(model, openStream(debugging.seed, 'initialize'), parts.initialization),
    );
    return created;
  });
  const scaling = createObservationScaling(spec, env.observationSpace, envRunners.normalizeObservations);
  const weights = createActingWeights({
    ...{ spec, acting, learner, central: reserved.central, scaling, arena, weightLayout },
  });
  return {
    ...weights,
    ...{ source, spec, acting, runners, scaling, choice, replayMemory },
    observationSpace: env.observationSpace,
    actionSpace: env.actionSpace,
    learner: withNotes(learner, weights),
    replay: createReplay(replaySpec),
    async stop() {
      await runners.stop();
      await learner.dispose();
    },
  };
}

/** Whatever changes parameters makes what was published stale. */
function withNotes(learner: ObjectiveLearner, { noteUpdate }: ActingWeights): ObjectiveLearner {
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

function replaySpecOf(spec: ActingSpec, numRows: number, options: OffPolicyParts['replay']): ReplaySpec {
  const { distribution } = spec;
  return {
    ...options,
    numRows,
    observationSize: spec.observationSize,
    observationDtype: spec.observationDtype,
    actionSize: actionSize(distribution),
    actionDtype: actionDtype(distribution),
    maskSize: spec.actionMaskSize,
  };
}
