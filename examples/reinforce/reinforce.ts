/**
 * REINFORCE with a baseline (Williams 1992; Sutton and Barto 2018, section 13.4), as an algorithm of your own. Returns are Monte Carlo's as far
 * as the rollout goes, and bootstrap where it cuts an episode:
 *
 *     npx train --algo ./reinforce.ts#reinforce --env CartPole --stop-return 195
 */
import {
  actorCriticOptions,
  adamOptions,
  advantageMetrics,
  checkActorCritic,
  computeGae,
  createOnPolicyAlgorithm,
  createOnPolicySystem,
  createRewardScaling,
  createSchedules,
  defineAlgorithm,
  discountOptions,
  onPolicyOptions,
  option,
  type ResolvedConfig,
  scheduleOptions,
  schedulesState,
  tellCritic,
  tellUpdate,
  updateMetrics,
  valueKind,
  withDefaults,
} from '../../src/exports/algorithm.ts';

const options = {
  ...onPolicyOptions,
  training: {
    ...withDefaults(adamOptions, { learningRate: 3e-3, maxGradNorm: 0.5 }),
    ...discountOptions,
    valueCoeff: option(valueKind.number({ min: 0 }), { default: 0.5, doc: 'Weight of the value loss.' }),
    entropyCoeff: option(valueKind.schedule({ min: 0 }), {
      default: 0.01,
      doc: 'Weight of the entropy bonus.',
    }),
    ...scheduleOptions,
    ...actorCriticOptions,
  },
};
const metrics = {
  'train/policyLoss': { unit: '-', window: 'iteration', formula: '-mean(logProb A)' },
  'train/valueLoss': { unit: 'value^2', window: 'iteration', formula: 'mean((V - R)^2)' },
  'train/entropy': { unit: 'nats', window: 'iteration', formula: "mean entropy of the policy's actions" },
  'train/entropyCoeff': { unit: '-', window: 'iteration', formula: 'entropy coefficient of the update' },
  ...advantageMetrics,
  ...updateMetrics,
};

async function createReinforce(config: ResolvedConfig<typeof options>) {
  const { training, envRunners, faultTolerance } = config;
  const numSamples = envRunners.numEnvs * envRunners.rolloutLength;
  const gradient = {
    module: new URL('./gradient.ts', import.meta.url).href,
    export: 'createGradient',
    options: { valueCoeff: training.valueCoeff },
  };
  const plan = { numEpochs: 1, minibatchSize: numSamples }; // one step with all of the rollout
  const system = await createOnPolicySystem(config, { outputGradient: gradient }, plan);
  const schedules = createSchedules(options.training, ['learningRate', 'entropyCoeff'], training);
  const rewards = createRewardScaling(envRunners, training.gamma);
  const permutations = Int32Array.from({ length: numSamples }, (_, i) => i);

  return createOnPolicyAlgorithm({
    name: 'reinforce',
    config,
    system,
    async iterate(numEnvSteps) {
      const scalars = schedules.at(numEnvSteps);
      const collected = await system.runners.collect(system.publish());
      const { rollout } = collected;
      rewards.absorb(rollout);
      computeGae(rollout, { gamma: training.gamma, gaeLambda: 1, ...rewards.now }); // lambda 1: return minus value
      const update = await system.learner.update(rollout, {
        ...plan,
        permutations,
        scalars,
        normalizeAdvantages: false,
        targetKl: null,
        observationStatistics: system.scaling.statistics,
        nonFinite: faultTolerance.nonFinite,
      });
      system.scaling.absorb(rollout);
      const told = { 'train/learningRate': scalars.learningRate, 'train/entropyCoeff': scalars.entropyCoeff };
      return { collected, metrics: { ...tellUpdate(update), ...tellCritic(rollout), ...told } };
    },
    state: [schedulesState(schedules), rewards.state],
    setSchedule: schedules.set,
  });
}

export const reinforce = defineAlgorithm({
  name: 'reinforce',
  options,
  metrics,
  headline: {
    'train/entropy': 'entropy',
    'train/policyLoss': 'policy loss',
    'train/valueLoss': 'value loss',
  },
  check: checkActorCritic,
  create: createReinforce,
});
