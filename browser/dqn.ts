/** DQN in a page: the parts of `algorithms/dqn/dqn.ts`, put together without threads, files and processes. */
import { checkLearning, dqnOptions } from '../algorithms/dqn/config.ts';
import { createDqnGradient } from '../algorithms/dqn/gradient.ts';
import { dqnLearning } from '../algorithms/dqn/learning.ts';
import { createActingWeights } from '../src/algorithm/acting-weights.ts';
import { createFragments } from '../src/algorithm/fragments.ts';
import { createObservationScaling } from '../src/algorithm/observation-statistics.ts';
import { createOffPolicyIteration } from '../src/algorithm/off-policy-iteration.ts';
import { isCrossed } from '../src/algorithm/pace.ts';
import { createTransitionDraws } from '../src/algorithm/transition-draws.ts';
import type { ConfigInput, ResolvedConfig } from '../src/config/option.ts';
import { createSchedules } from '../src/config/schedules.ts';
import { flattenActionSpace } from '../src/env/flatten-action.ts';
import { flattenObservationSpace } from '../src/env/flatten-space.ts';
import { OFF_POLICY_COLUMNS } from '../src/experience/layout.ts';
import { reserveObjective } from '../src/learner/simd/objective/layout.ts';
import { createSimdObjectiveLearner } from '../src/learner/simd/objective/learner.ts';
import { createArena, createArenaPlanner } from '../src/memory/arena.ts';
import { actingLayout, actingSpecOf } from '../src/policy/networks/acting-network.ts';
import { initializeModel } from '../src/policy/networks/initialize-model.ts';
import { actionDtype, actionSize } from '../src/policy/policy-spec.ts';
import { openStream } from '../src/random/streams.ts';
import { createReplay } from '../src/replay/replay.ts';
import { reserveSampling } from '../src/rollout/sampling-layout.ts';
import { kernelPolicyScratchBytes } from '../src/simd/kernel-policy.ts';
import type { KernelModule } from '../src/simd/kernels.ts';
import { reserveWeightBuffer } from '../src/weights/weight-buffer.ts';
import { refuseOthers, resolvePageOptions } from './options.ts';
import { replayingState, restoreReplaying } from './replaying-state.ts';
import { copyStatistics, createCollecting, type MakeVectorEnv, type PageTraining } from './training.ts';

const { numEnvs, normalizeObservations, clipObservation } = dqnOptions.envRunners;

const pageDqnOptions = {
  training: dqnOptions.training,
  envRunners: { numEnvs, normalizeObservations, clipObservation },
  debugging: { seed: dqnOptions.debugging.seed },
};

/** What a page may set, by section; all of it has the defaults and bounds of docs/options.md. */
export type PageDQNOptions = ConfigInput<typeof pageDqnOptions>;

type Config = ResolvedConfig<typeof pageDqnOptions>;

const ONLY = {
  network: 'mlp',
  noisy: false,
  recurrent: null,
  rainbow: false,
  hindsight: 'none',
  replayBytes: null,
  prefill: null,
};

/**
 * Starts DQN in this thread.
 *
 * @param kernels of `loadPageKernels`, for unshared memory.
 * @throws ConfigError for options that are wrong, or that need Node (noisy layers, recurrence, hindsight, convolutions).
 */
export async function createDQNTraining(
  makeVectorEnv: MakeVectorEnv,
  kernels: KernelModule,
  options: PageDQNOptions = {},
): Promise<PageTraining> {
  const config = resolvePageOptions(pageDqnOptions, options, checkPage);
  const { training, envRunners, debugging } = config;
  const system = await assemble(makeVectorEnv, kernels, config);
  const { learner, replay, scaling, publish, collectNow, noteUpdate } = system;
  const { prioritised, priorityExponent, tau, targetInterval, learningStarts } = training;
  const priorities = prioritised ? { exponent: priorityExponent } : null;
  const draws = createTransitionDraws(replay, { ...training, seed: debugging.seed, priorities }, null);
  const names = ['learningRate', 'epsilon', 'importanceExponent'] as const;
  const schedules = createSchedules(dqnOptions.training, names, training);
  const fragments = createFragments({
    system: { publish, runners: { collectNow, collect: async (version) => collectNow(version) } },
    numSteps: training.trainEvery * envRunners.numEnvs,
    lag: training.lag,
    exploration: (step) => ({
      epsilon: schedules.at(step).epsilon,
      noiseStd: 0,
      isRandom: step < learningStarts,
    }),
  });
  const iterate = createOffPolicyIteration({
    system: { replay, scaling },
    fragments,
    pace: training,
    learn(numUpdates, step) {
      const { learningRate, importanceExponent } = schedules.at(step);
      noteUpdate();
      return learner.update({
        numUpdates,
        fill: (_k, batch) => draws.fill(batch, importanceExponent),
        after: (_k, batch) => draws.after(batch),
        scalars: { learningRate, tau: tau ?? 0 },
        observationStatistics: scaling.statistics,
        nonFinite: 'stop',
      });
    },
    afterRound(before, after) {
      if (tau === null && isCrossed(targetInterval, before, after)) learner.blendTargets(1);
    },
    metrics(step) {
      const { learningRate, epsilon } = schedules.at(step);
      return { 'train/learningRate': learningRate, 'train/epsilon': epsilon };
    },
  });
  const remembered = { ...system, draws, options: JSON.stringify(config) };
  let numEnvSteps = 0;
  return {
    spec: system.spec,
    get numEnvSteps() {
      return numEnvSteps;
    },
    async train() {
      const { numEnvSteps: taken, episodes, metrics } = await iterate(numEnvSteps);
      numEnvSteps += taken;
      return { numEnvSteps, episodes, metrics };
    },
    weights: () => ({
      parameters: learner.readNetwork('q').slice(),
      statistics: copyStatistics(scaling.statistics),
    }),
    getState: () => replayingState(remembered, numEnvSteps),
    async setState(state) {
      const restarted = await restoreReplaying(remembered, state);
      noteUpdate();
      numEnvSteps = state.numEnvSteps;
      return restarted;
    },
  };
}

function checkPage(config: Config) {
  return [...checkLearning(config), ...refuseOthers(config.training, ONLY)];
}

async function assemble(
  makeVectorEnv: MakeVectorEnv,
  kernels: KernelModule,
  { training, envRunners, debugging: { seed } }: Config,
) {
  const vectorEnv = makeVectorEnv(envRunners.numEnvs);
  const { observationSpace, actionSpace, actionMaskSize, frameStack = null } = vectorEnv;
  const observation = flattenObservationSpace(observationSpace);
  const action = flattenActionSpace(actionSpace);
  const env = { observationSpace, actionSpace, observation, action, actionMaskSize, frameStack };
  const { model, objective, options, acting: network } = dqnLearning(env, { training, envRunners });
  const acting = { ...network, actionMaskSize };
  const spec = actingSpecOf(model, acting);
  const planner = createArenaPlanner();
  const sampling = reserveSampling(
    planner,
    spec,
    envRunners.numEnvs,
    training.trainEvery,
    OFF_POLICY_COLUMNS,
  );
  const scratch = planner.reserve(kernelPolicyScratchBytes(spec, envRunners.numEnvs));
  const open = createDqnGradient(model, options);
  const layout = reserveObjective(planner, model, objective, open, training.batchSize, 1);
  const weightLayout = reserveWeightBuffer(planner, actingLayout(spec).size, spec.observationSize);
  const arena = createArena(planner, kernels.shared);
  const learner = createSimdObjectiveLearner({ arena, kernels, model, objective, open, layout });
  learner.writeParameters(initializeModel(model, openStream(seed, 'initialize')));
  const scaling = createObservationScaling(spec, observationSpace, envRunners.normalizeObservations);
  const weights = createActingWeights({
    spec,
    acting,
    learner,
    central: null,
    scaling,
    arena,
    weightLayout,
  });
  const collecting = await createCollecting({
    ...{ arena, kernels, spec, sampling, weightLayout, scratch, makeVectorEnv, vectorEnv, seed },
  });
  const replay = createReplay({
    capacity: training.replayCapacity,
    numRows: envRunners.numEnvs,
    observationSize: spec.observationSize,
    observationDtype: spec.observationDtype,
    actionSize: actionSize(spec.distribution),
    actionDtype: actionDtype(spec.distribution),
    maskSize: actionMaskSize,
    ...(frameStack !== null && { frameStack }),
  });
  return { spec, learner, replay, scaling, collecting, collectNow: collecting.collect, ...weights };
}
