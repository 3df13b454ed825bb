/** PPO on CartPole over one WebAssembly memory: the same parts as `algorithms/ppo/ppo.ts`, put together for a browser. */
import { cartPoleVector } from '../../../envs/cart-pole.ts';
import { createPolicySpec } from '../../../src/algorithm/policy-setup.ts';
import { evaluateSchedule, type Schedule } from '../../../src/config/schedule.ts';
import { initializeRollout, openRollout } from '../../../src/experience/layout.ts';
import type { Learner } from '../../../src/learner/learner.ts';
import { reserveSimdLearner, type SimdLearnerOptions } from '../../../src/learner/simd/layout.ts';
import { createSimdLearner } from '../../../src/learner/simd/learner.ts';
import { createArena, createArenaPlanner } from '../../../src/memory/arena.ts';
import { initializeParameters } from '../../../src/policy/initialize.ts';
import type { PolicySpec } from '../../../src/policy/policy-spec.ts';
import { shufflePermutation } from '../../../src/random/shuffle.ts';
import { openStream } from '../../../src/random/streams.ts';
import { createEpisodeLedger } from '../../../src/rollout/episode-ledger.ts';
import type { EpisodeSummary } from '../../../src/rollout/episode-summary.ts';
import { restoreRows } from '../../../src/rollout/restore-rows.ts';
import { FRESH_ROW } from '../../../src/rollout/row-states.ts';
import { createSampler } from '../../../src/rollout/sampler.ts';
import { reserveSampling } from '../../../src/rollout/sampling-layout.ts';
import { createKernelPolicy, kernelPolicyScratchBytes } from '../../../src/simd/kernel-policy.ts';
import { instantiateKernels, type KernelModule } from '../../../src/simd/kernels.ts';
import { computeGae } from '../../../src/targets/gae.ts';
import { openWeightBuffer, reserveWeightBuffer } from '../../../src/weights/weight-buffer.ts';
import { createGradient, gradientSource } from './gradient.ts';
import type { HelperStart } from './messages.ts';
import { settings } from './settings.ts';
import { startTeam, teamBytes } from './thread-team.ts';

const { training, envRunners } = settings;
const { numEnvs, rolloutLength } = envRunners;
const NUM_SAMPLES = numEnvs * rolloutLength;

export interface Training {
  readonly spec: PolicySpec;
  readonly learner: Learner;
  readonly numEnvSteps: number;
  /** Collects a rollout, learns from it, and gives the episodes that ended in it, in order. */
  iterate(): Promise<EpisodeSummary[]>;
}

/** @param numThreads threads that learn, this one included; more than one needs shared kernels. Results do not depend on it. */
export async function createTraining(
  kernels: KernelModule,
  seed: number,
  numThreads: number,
): Promise<Training> {
  const vectorEnv = cartPoleVector(numEnvs);
  const spec = createPolicySpec(vectorEnv, { ...training, ...envRunners }, () => {
    throw new TypeError('Expected an MLP: a page trains no network of its own.');
  });
  const plan = reserveMemory(spec, numThreads);
  const { sampling, weightLayout, learnerLayout } = plan;
  const arena = createArena(plan.planner, kernels.shared);
  for (const address of sampling.setAddresses) initializeRollout(arena.buffer, address, sampling.rollout);
  const sets = sampling.setAddresses.map((address) => openRollout(arena.buffer, address, sampling.rollout));

  const helpers = Array.from({ length: numThreads - 1 }, (_, k): HelperStart => {
    const start = { spec, options: learnerOptions, layout: learnerLayout };
    return { start, kernels, memory: arena.memory, threadIndex: k + 1, teamAddress: plan.team.offset };
  });
  const team = await startTeam(helpers);
  const learner = await createSimdLearner({
    arena,
    kernels,
    spec,
    options: learnerOptions,
    layout: learnerLayout,
    team,
    outputGradient: createGradient(spec),
  });
  learner.writeParameters(initializeParameters(spec, learner.layout, openStream(seed, 'initialize')));

  const weights = openWeightBuffer(arena.buffer, weightLayout);
  const instance = instantiateKernels(kernels, arena.memory);
  const policy = createKernelPolicy(instance, spec, arena, plan.scratch, weightLayout);
  const sampler = createSampler({
    vectorEnv,
    firstRow: 0,
    seed,
    spec,
    buffer: arena.buffer,
    layout: sampling,
    weights,
    policy,
  });
  const fresh = Array.from({ length: numEnvs }, () => FRESH_ROW);
  await restoreRows({ vectorEnv, sampler, spec, seed, makeSingle: async () => cartPoleVector(1) }, fresh);

  const ledger = createEpisodeLedger(spec, numEnvs);
  const nextPlan = createPlans(seed);
  const parameters = new Float32Array(learner.layout.size);
  let numIterations = 0;
  return {
    spec,
    learner,
    get numEnvSteps() {
      return numIterations * NUM_SAMPLES;
    },
    async iterate() {
      const version = weights.publish(learner.readParameters(parameters), null, null);
      const set = numIterations % sets.length;
      sampler.collect(set, version);
      computeGae(sets[set], { ...training, rewardScale: 1, clipReward: Infinity });
      await learner.update(sets[set], nextPlan(numIterations * NUM_SAMPLES));
      numIterations += 1;
      return ledger.absorb(sets[set]);
    },
  };
}

const learnerOptions: SimdLearnerOptions = {
  maxGradNorm: training.maxGradNorm,
  adamBeta1: training.adamBeta1,
  adamBeta2: training.adamBeta2,
  adamEpsilon: training.adamEpsilon,
  maxEpochs: training.numEpochs,
  maxMinibatchSize: training.minibatchSize,
  outputGradient: gradientSource,
};

/** Everything that kernels touch, and the team's words. */
function reserveMemory(spec: PolicySpec, numThreads: number) {
  const planner = createArenaPlanner();
  const sampling = reserveSampling(planner, spec, numEnvs, rolloutLength);
  const learnerLayout = reserveSimdLearner(planner, spec, learnerOptions, NUM_SAMPLES, numThreads);
  return {
    planner,
    sampling,
    learnerLayout,
    weightLayout: reserveWeightBuffer(planner, learnerLayout.parameterCount, spec.observationSize),
    scratch: planner.reserve(kernelPolicyScratchBytes(spec, numEnvs)),
    team: planner.reserve(teamBytes(numThreads)),
  };
}

/** The plan of each update: schedules at its environment step, and fresh permutations. */
function createPlans(seed: number) {
  const shuffle = openStream(seed, 'shuffle');
  const permutations = new Int32Array(training.numEpochs * NUM_SAMPLES); // [numEpochs, N * T] i32
  const at = (schedule: Schedule, step: number) => evaluateSchedule(schedule, step, training.scheduleSteps);
  return (numEnvSteps: number) => {
    for (let epoch = 0; epoch < training.numEpochs; epoch++) {
      shufflePermutation(permutations.subarray(epoch * NUM_SAMPLES, (epoch + 1) * NUM_SAMPLES), shuffle);
    }
    return {
      numEpochs: training.numEpochs,
      minibatchSize: training.minibatchSize,
      permutations,
      scalars: {
        learningRate: at(training.learningRate, numEnvSteps),
        clipRange: at(training.clipRange, numEnvSteps),
        entropyCoeff: at(training.entropyCoeff, numEnvSteps),
        valueClipRange: training.valueClipRange ?? 0,
      },
      normalizeAdvantages: training.normalizeAdvantages,
      targetKl: training.targetKl,
      observationStatistics: null,
      nonFinite: 'stop' as const,
    };
  };
}
