/** PPO in a page: the parts of `algorithms/ppo/ppo.ts`, put together without files and processes. */
import { ppoOptions } from '../algorithms/ppo/config.ts';
import { createOutputGradient } from '../algorithms/ppo/gradient.ts';
import { ppoLossParts } from '../algorithms/ppo/loss-parts.ts';
import { tellCritic, tellUpdate } from '../src/algorithm/learning-report.ts';
import { createObservationScaling } from '../src/algorithm/observation-statistics.ts';
import { createPolicySpec } from '../src/algorithm/policy-setup.ts';
import { checkMinibatches } from '../src/config/blocks/minibatches.ts';
import type { ConfigInput, ResolvedConfig } from '../src/config/option.ts';
import { createSchedules } from '../src/config/schedules.ts';
import { ConfigError } from '../src/errors.ts';
import { createRolloutOrder } from '../src/learner/epoch-order.ts';
import { reserveSimdLearner, type SimdLearnerOptions } from '../src/learner/simd/layout.ts';
import { createSimdLearner } from '../src/learner/simd/learner.ts';
import { createArena, createArenaPlanner } from '../src/memory/arena.ts';
import { initializeParameters } from '../src/policy/initialize.ts';
import { openStream } from '../src/random/streams.ts';
import { reserveSampling } from '../src/rollout/sampling-layout.ts';
import { kernelPolicyScratchBytes } from '../src/simd/kernel-policy.ts';
import type { KernelModule } from '../src/simd/kernels.ts';
import { computeGae } from '../src/targets/gae.ts';
import { createRewardScaler } from '../src/targets/reward-scaler.ts';
import { openWeightBuffer, reserveWeightBuffer } from '../src/weights/weight-buffer.ts';
import { type PageHelpers, startHelpers, teamBytes } from './helpers.ts';
import { refuseOthers, resolvePageOptions } from './options.ts';
import { copyStatistics, createCollecting, type MakeVectorEnv, type PageTraining } from './training.ts';
import { rememberTraining } from './training-state.ts';

const { numEnvs, rolloutLength, normalizeObservations, clipObservation, normalizeRewards, clipReward } =
  ppoOptions.envRunners;

const pagePpoOptions = {
  training: ppoOptions.training,
  envRunners: {
    numEnvs,
    rolloutLength,
    normalizeObservations,
    clipObservation,
    normalizeRewards,
    clipReward,
  },
  debugging: { seed: ppoOptions.debugging.seed },
};

/** What a page may set, by section; all of it has the defaults and bounds of docs/options.md. */
export type PagePPOOptions = ConfigInput<typeof pagePpoOptions>;

type Config = ResolvedConfig<typeof pagePpoOptions>;

const ONLY = {
  network: 'mlp',
  recurrent: null,
  curiosity: null,
  recomputeStates: false,
  klPenaltyCoeff: 0,
};

/**
 * Starts PPO in this thread.
 *
 * @param kernels of `loadPageKernels`; for shared memory where helpers are asked for.
 * @param helpers threads that take a share of every gradient; absent = none. Results do not depend on them.
 * @throws ConfigError for options that are wrong, or that need Node (recurrent policies, curiosity, networks of one's own).
 */
export async function createPPOTraining(
  makeVectorEnv: MakeVectorEnv,
  kernels: KernelModule,
  options: PagePPOOptions = {},
  helpers: PageHelpers | null = null,
): Promise<PageTraining> {
  const config = resolvePageOptions(pagePpoOptions, options, (resolved) => [
    ...checkMinibatches(resolved),
    ...refuseOthers(resolved.training, ONLY),
  ]);
  const { training, envRunners, debugging } = config;
  const { gamma, gaeLambda, minibatchSize, numEpochs } = training;
  const numSamples = envRunners.numEnvs * envRunners.rolloutLength;
  const system = await assemble(makeVectorEnv, kernels, config, helpers);
  const { spec, learner, scaling, publish, collecting } = system;
  const schedules = createSchedules(
    ppoOptions.training,
    ['learningRate', 'clipRange', 'entropyCoeff'],
    training,
  );
  const shuffle = openStream(debugging.seed, 'shuffle');
  const scaler = envRunners.normalizeRewards
    ? createRewardScaler(envRunners.numEnvs, envRunners.rolloutLength, gamma)
    : null;
  const orderEpoch = createRolloutOrder(training, 'simd', numSamples, minibatchSize);
  const permutations = new Int32Array(numEpochs * numSamples); // [numEpochs, N * T] i32
  const remembered = rememberTraining({
    ...system,
    scaler,
    shuffle,
    options: JSON.stringify(config),
  });
  let numEnvSteps = 0;
  return {
    spec,
    get numEnvSteps() {
      return numEnvSteps;
    },
    async train() {
      const scalars = {
        ...schedules.at(numEnvSteps),
        valueClipRange: training.valueClipRange ?? 0,
        klPenaltyCoeff: 0,
      };
      const { rollout, episodes } = collecting.collect(publish());
      scaler?.absorb(rollout);
      const bound = (scaler === null ? null : envRunners.clipReward) ?? Infinity;
      computeGae(rollout, { gamma, gaeLambda, rewardScale: scaler?.scale ?? 1, clipReward: bound });
      for (let epoch = 0; epoch < numEpochs; epoch++)
        orderEpoch(permutations.subarray(epoch * numSamples, (epoch + 1) * numSamples), shuffle);
      const update = await learner.update(rollout, {
        ...{ numEpochs, minibatchSize, permutations, scalars },
        normalizeAdvantages: training.normalizeAdvantages,
        targetKl: training.targetKl,
        observationStatistics: scaling.statistics,
        nonFinite: 'stop',
      });
      scaling.absorb(rollout);
      numEnvSteps += numSamples;
      return { numEnvSteps, episodes, metrics: { ...tellUpdate(update), ...tellCritic(rollout) } };
    },
    weights: () => ({
      parameters: learner.readParameters().slice(),
      statistics: copyStatistics(scaling.statistics),
    }),
    getState: () => ({ ...remembered.getState(), numEnvSteps }),
    async setState(state) {
      const restarted = await remembered.setState(structuredClone(state));
      numEnvSteps = state.numEnvSteps;
      return restarted;
    },
  };
}

async function assemble(
  makeVectorEnv: MakeVectorEnv,
  kernels: KernelModule,
  { training, envRunners, debugging: { seed } }: Config,
  helpers: PageHelpers | null,
) {
  const { numEnvs, rolloutLength } = envRunners;
  const vectorEnv = makeVectorEnv(numEnvs);
  const spec = createPolicySpec(vectorEnv, { ...training, ...envRunners }, () => {
    throw new ConfigError('CONFIG_NETWORK', 'A page trains no network of its own.');
  });
  const numThreads = 1 + (helpers?.numHelpers ?? 0);
  const { outputGradient } = ppoLossParts(training);
  const options: SimdLearnerOptions = {
    maxGradNorm: training.maxGradNorm,
    adamBeta1: training.adamBeta1,
    adamBeta2: training.adamBeta2,
    adamEpsilon: training.adamEpsilon,
    maxEpochs: training.numEpochs,
    maxMinibatchSize: training.minibatchSize,
    outputGradient,
  };
  const planner = createArenaPlanner();
  const sampling = reserveSampling(planner, spec, numEnvs, rolloutLength);
  const layout = reserveSimdLearner(planner, spec, options, numEnvs * rolloutLength, numThreads);
  const weightLayout = reserveWeightBuffer(planner, layout.parameterCount, spec.observationSize);
  const scratch = planner.reserve(kernelPolicyScratchBytes(spec, numEnvs));
  const words = planner.reserve(teamBytes(numThreads));
  const arena = createArena(planner, kernels.shared);
  const start = { spec, options, layout };
  const team =
    helpers && (await startHelpers(helpers, { start, kernels, memory: arena.memory, words: words.offset }));
  const gradient = createOutputGradient(spec, outputGradient.options);
  const learner = await createSimdLearner({
    ...{ arena, kernels, spec, options, layout, team },
    outputGradient: gradient,
  });
  learner.writeParameters(initializeParameters(spec, learner.layout, openStream(seed, 'initialize')));
  const scaling = createObservationScaling(
    spec,
    vectorEnv.observationSpace,
    envRunners.normalizeObservations,
  );
  const weights = openWeightBuffer(arena.buffer, weightLayout);
  const parameters = new Float32Array(learner.layout.size);
  const publish = () => {
    const { statistics } = scaling;
    const { mean = null, inverseStd = null } = statistics ?? {};
    return weights.publish(learner.readParameters(parameters), mean, inverseStd);
  };
  const collecting = await createCollecting({
    ...{ arena, kernels, spec, sampling, weightLayout, scratch, makeVectorEnv, vectorEnv, seed },
  });
  return { spec, learner, scaling, publish, collecting };
}
