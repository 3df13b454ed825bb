/** Proximal policy optimization (Schulman et al. 2017, arXiv:1707.06347): the whole algorithm, top to bottom. */

import type { Algorithm } from '../../src/algorithm/algorithm.ts';
import { columnsOf, createCuriosity } from '../../src/algorithm/curiosity/curiosity.ts';
import { freshStatesMemory, recomputingLearner } from '../../src/algorithm/fresh-states-learner.ts';
import { tellCritic, tellPolicy, tellUpdate } from '../../src/algorithm/learning-report.ts';
import { createOnPolicyAlgorithm, type OnPolicyIteration } from '../../src/algorithm/on-policy-algorithm.ts';
import { createOnPolicySystem } from '../../src/algorithm/on-policy-system.ts';
import { adaptedState, schedulesState, streamState } from '../../src/algorithm/own-state.ts';
import { createRewardScaling } from '../../src/algorithm/reward-scaling.ts';
import { createSchedules } from '../../src/config/schedules.ts';
import { createRolloutOrder } from '../../src/learner/epoch-order.ts';
import type { UpdatePlan } from '../../src/learner/learner.ts';
import { openStream } from '../../src/random/streams.ts';
import { computeGae } from '../../src/targets/gae.ts';
import { ppoOptions, type ResolvedPPOConfig } from './config.ts';
import { createKlPenalty } from './kl-penalty.ts';
import { ppoLossParts } from './loss-parts.ts';
import type { PPOMetrics } from './metrics.ts';

/**
 * Starts PPO: environments, workers, network and learner.
 *
 * One iteration:
 *
 *     publish the weights        workers act with one frozen version
 *     collect N x T steps        raw observations and rewards, log-probabilities and values of the acting policy
 *     scale rewards              by the deviation of the discounted return, when asked for
 *     advantages                 GAE; truncated episodes bootstrap from their true last observation
 *     curiosity                  when asked for: a bonus for what is new, whose advantages are added
 *     numEpochs x minibatches    clipped surrogate, value loss, entropy bonus; Adam, gradient norm clipped
 *     observation statistics     learn from this rollout, for the next one
 *
 * Thread: main; the call resolves when every worker is ready. `stop()` the result.
 *
 * @throws ConfigError when environment, network and options do not fit together.
 */
export async function createPPO(config: ResolvedPPOConfig): Promise<Algorithm> {
  const { training, envRunners, debugging, faultTolerance } = config;
  const { numEnvs, rolloutLength } = envRunners;
  const { gamma, gaeLambda, minibatchSize, normalizeAdvantages, targetKl, valueClipRange } = training;
  const numSamples = numEnvs * rolloutLength;
  const memory = { ...columnsOf(training), ...freshStatesMemory(config) };
  const system = await createOnPolicySystem(config, ppoLossParts(training), training, memory);
  const { runners, learner, scaling } = system;
  const schedules = createSchedules(
    ppoOptions.training,
    ['learningRate', 'clipRange', 'entropyCoeff'],
    training,
  );
  const klPenalty = createKlPenalty(training);
  const shuffle = openStream(debugging.seed, 'shuffle');
  const rewards = createRewardScaling(envRunners, gamma);
  const orderEpoch = createRolloutOrder(training, learner.engine, numSamples, minibatchSize);
  const learning = recomputingLearner(system, config);
  const curiosity = await createCuriosity(system, config, minibatchSize);
  const permutations = new Int32Array(training.numEpochs * numSamples); // [numEpochs, N * T] i32

  const iterate = async (numEnvSteps: number): Promise<OnPolicyIteration> => {
    const scalars = {
      ...schedules.at(numEnvSteps),
      valueClipRange: valueClipRange ?? 0,
      klPenaltyCoeff: klPenalty.coeff,
    };
    const start = performance.now();
    const version = system.publish();
    const collected = await runners.collect(version);
    const { rollout } = collected;

    const collectedAt = performance.now();
    rewards.absorb(rollout);
    computeGae(rollout, { gamma, gaeLambda, ...rewards.now });
    await curiosity?.judge(rollout, (steps, gamma) =>
      computeGae(steps, { gamma, gaeLambda, rewardScale: 1, clipReward: Number.POSITIVE_INFINITY }),
    );

    const advantagesAt = performance.now();
    for (let epoch = 0; epoch < training.numEpochs; epoch++) {
      orderEpoch(permutations.subarray(epoch * numSamples, (epoch + 1) * numSamples), shuffle);
    }
    const plan: UpdatePlan = {
      numEpochs: training.numEpochs,
      minibatchSize,
      permutations,
      scalars,
      normalizeAdvantages,
      targetKl,
      observationStatistics: scaling.statistics,
      nonFinite: faultTolerance.nonFinite,
    };
    const update = await learning.update(rollout, plan);
    const learntAt = performance.now();
    const curious = await curiosity?.learn(rollout, { ...plan, learningRate: scalars.learningRate });
    klPenalty.adapt(update.means.approxKl);
    scaling.absorb(rollout);

    const metrics: PPOMetrics = {
      ...tellUpdate(update),
      ...tellCritic(rollout),
      ...tellPolicy(learner),
      ...curious,
      'train/numEpochs': update.numEpochs,
      'train/learningRate': scalars.learningRate,
      'train/clipRange': scalars.clipRange,
      'train/entropyCoeff': scalars.entropyCoeff,
      ...(training.klPenaltyCoeff > 0 ? { 'train/klPenaltyCoeff': scalars.klPenaltyCoeff } : {}),
      'time/rolloutMs': collectedAt - start,
      'time/advantageMs': advantagesAt - collectedAt,
      'time/learnMs': learntAt - advantagesAt,
      'time/policyLagMean': 0, // the rollout was collected with the weights that learn from it
    };
    return { collected, metrics };
  };

  return createOnPolicyAlgorithm({
    name: 'ppo',
    config,
    system,
    iterate,
    state: [
      streamState('shuffle', shuffle),
      rewards.state,
      ...(curiosity === null ? [] : [curiosity.state]),
      schedulesState(schedules),
      adaptedState(
        'klPenaltyCoeff',
        { path: ['training', 'klPenaltyCoeff'], value: training.klPenaltyCoeff },
        klPenalty,
      ),
    ],
    setSchedule: schedules.set,
    settle: async () => curiosity?.stop(),
  });
}
