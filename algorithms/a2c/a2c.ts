/** Advantage actor-critic (Mnih et al. 2016, arXiv:1602.01783, all environments in step): the whole algorithm, top to bottom. */

import type { Algorithm } from '../../src/algorithm/algorithm.ts';
import { columnsOf, createCuriosity } from '../../src/algorithm/curiosity/curiosity.ts';
import { tellCritic, tellPolicy, tellUpdate } from '../../src/algorithm/learning-report.ts';
import { createOnPolicyAlgorithm, type OnPolicyIteration } from '../../src/algorithm/on-policy-algorithm.ts';
import { createOnPolicySystem } from '../../src/algorithm/on-policy-system.ts';
import { schedulesState } from '../../src/algorithm/own-state.ts';
import { createRewardScaling } from '../../src/algorithm/reward-scaling.ts';
import { createSchedules } from '../../src/config/schedules.ts';
import { createRolloutOrder } from '../../src/learner/epoch-order.ts';
import type { UpdatePlan } from '../../src/learner/learner.ts';
import { computeGae } from '../../src/targets/gae.ts';
import { a2cOptions, type ResolvedA2CConfig } from './config.ts';
import { policyGradientParts } from './loss-parts.ts';
import type { A2CMetrics } from './metrics.ts';

/**
 * Starts A2C: environments, workers, network and learner.
 *
 * One iteration:
 *
 *     publish the weights        workers act with one frozen version
 *     collect N x T steps        few steps of many environments
 *     scale rewards              by the deviation of the discounted return, when asked for
 *     advantages                 GAE, lambda 1 by default; truncated episodes bootstrap from their true last observation
 *     curiosity                  when asked for: a bonus for what is new, whose advantages are added
 *     one step of Adam           over the whole rollout: policy gradient, value loss, entropy bonus; gradient norm clipped
 *     observation statistics     learn from this rollout, for the next one
 *
 * Thread: main; the call resolves when every worker is ready. `stop()` the result.
 *
 * @throws ConfigError when environment, network and options do not fit together.
 */
export async function createA2C(config: ResolvedA2CConfig): Promise<Algorithm> {
  const { training, envRunners, faultTolerance } = config;
  const { gamma, gaeLambda, normalizeAdvantages } = training;
  const numSamples = envRunners.numEnvs * envRunners.rolloutLength;
  const bounds = { numEpochs: 1, minibatchSize: numSamples }; // one step over the whole rollout
  const system = await createOnPolicySystem(
    config,
    policyGradientParts(training),
    bounds,
    columnsOf(training),
  );
  const { runners, learner, scaling } = system;
  const schedules = createSchedules(a2cOptions.training, ['learningRate', 'entropyCoeff'], training);
  const rewards = createRewardScaling(envRunners, gamma);
  const permutations = new Int32Array(numSamples); // [N * T] i32: all of it, sequence by sequence where there are any
  createRolloutOrder(training, learner.engine, numSamples, numSamples)(permutations, null);
  const curiosity = await createCuriosity(system, config, numSamples);

  const iterate = async (numEnvSteps: number): Promise<OnPolicyIteration> => {
    const scalars = schedules.at(numEnvSteps);
    const start = performance.now();
    const collected = await runners.collect(system.publish());
    const { rollout } = collected;

    const collectedAt = performance.now();
    rewards.absorb(rollout);
    computeGae(rollout, { gamma, gaeLambda, ...rewards.now });
    await curiosity?.judge(rollout, (steps, gamma) =>
      computeGae(steps, { gamma, gaeLambda, rewardScale: 1, clipReward: Number.POSITIVE_INFINITY }),
    );

    const advantagesAt = performance.now();
    const plan: UpdatePlan = {
      ...bounds,
      permutations,
      scalars,
      normalizeAdvantages,
      targetKl: null,
      observationStatistics: scaling.statistics,
      nonFinite: faultTolerance.nonFinite,
    };
    const update = await learner.update(rollout, plan);
    const learntAt = performance.now();
    const curious = await curiosity?.learn(rollout, { ...plan, learningRate: scalars.learningRate });
    scaling.absorb(rollout);

    const metrics: A2CMetrics = {
      ...tellUpdate(update),
      ...tellCritic(rollout),
      ...tellPolicy(learner),
      ...curious,
      'train/learningRate': scalars.learningRate,
      'train/entropyCoeff': scalars.entropyCoeff,
      'time/rolloutMs': collectedAt - start,
      'time/advantageMs': advantagesAt - collectedAt,
      'time/learnMs': learntAt - advantagesAt,
      'time/policyLagMean': 0, // the rollout was collected with the weights that learn from it
    };
    return { collected, metrics };
  };

  return createOnPolicyAlgorithm({
    name: 'a2c',
    config,
    system,
    iterate,
    state: [rewards.state, ...(curiosity === null ? [] : [curiosity.state]), schedulesState(schedules)],
    setSchedule: schedules.set,
    settle: async () => curiosity?.stop(),
  });
}
