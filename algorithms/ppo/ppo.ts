/** Proximal policy optimization (Schulman et al. 2017, arXiv:1707.06347): the whole algorithm, top to bottom. */
import { computeGae, explainedVariance } from '../../src/advantage/gae.ts';
import { createRewardScaler } from '../../src/advantage/reward-scaler.ts';
import type { Algorithm } from '../../src/algorithm/algorithm.ts';
import { createOnPolicyAlgorithm, type OnPolicyIteration } from '../../src/algorithm/on-policy-algorithm.ts';
import { createOnPolicySystem, type OnPolicySystem } from '../../src/algorithm/on-policy-system.ts';
import { ownState, rewardScalerState, schedulesState, streamState } from '../../src/algorithm/own-state.ts';
import { configToJson } from '../../src/config/option.ts';
import { createSchedules } from '../../src/config/schedules.ts';
import type { UpdatePlan } from '../../src/learner/learner.ts';
import { shufflePermutation } from '../../src/random/shuffle.ts';
import { openStream } from '../../src/random/streams.ts';
import type { RolloutViews } from '../../src/rollout/layout.ts';
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
  const system = await createOnPolicySystem(config, ppoLossParts(training));
  const { runners, learner, scaling } = system;
  const schedules = createSchedules(
    ppoOptions.training,
    ['learningRate', 'clipRange', 'entropyCoeff'],
    training,
  );
  const klPenalty = createKlPenalty(training);
  const shuffle = openStream(debugging.seed, 'shuffle');
  const rewardScaler = envRunners.normalizeRewards ? createRewardScaler(numEnvs, rolloutLength, gamma) : null;
  const clipReward = rewardScaler === null ? null : envRunners.clipReward;
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
    rewardScaler?.absorb(rollout);
    const rewardScale = rewardScaler?.scale ?? 1;
    computeGae(rollout, {
      gamma,
      gaeLambda,
      rewardScale,
      clipReward: clipReward ?? Number.POSITIVE_INFINITY,
    });

    const advantagesAt = performance.now();
    for (let epoch = 0; epoch < training.numEpochs; epoch++) {
      shufflePermutation(permutations.subarray(epoch * numSamples, (epoch + 1) * numSamples), shuffle);
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
    const update = await learner.update(rollout, plan);
    const learntAt = performance.now();
    klPenalty.adapt(update.means.approxKl);
    scaling.absorb(rollout);

    const metrics: PPOMetrics = {
      ...trainMetrics(update.means),
      'train/numEpochs': update.numEpochs,
      'train/numUpdates': update.numMinibatches - update.numSkipped,
      'train/numSkippedUpdates': update.numSkipped,
      'train/numClippedUpdates': update.numClipped,
      'train/learningRate': scalars.learningRate,
      'train/clipRange': scalars.clipRange,
      'train/entropyCoeff': scalars.entropyCoeff,
      ...(training.klPenaltyCoeff > 0 ? { 'train/klPenaltyCoeff': scalars.klPenaltyCoeff } : {}),
      ...criticMetrics(rollout),
      ...actionStd(system),
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
    configJson: { algorithm: 'ppo', ...configToJson(config) },
    system,
    iterate,
    state: [
      streamState('shuffle', shuffle),
      rewardScalerState(rewardScaler),
      schedulesState(schedules),
      ownState('klPenaltyCoeff', klPenalty.schema, klPenalty),
    ],
    setSchedule: schedules.set,
  });
}

/** Left out where there is no mean: when no minibatch was finite. */
function trainMetrics(means: Readonly<Record<string, number>>): PPOMetrics {
  const metrics: Record<string, number> = {};
  for (const name of Object.keys(means))
    if (Number.isFinite(means[name])) metrics[`train/${name}`] = means[name];
  return metrics;
}

function criticMetrics(rollout: RolloutViews): PPOMetrics {
  const explained = explainedVariance(rollout);
  return explained === null ? {} : { 'train/explainedVariance': explained };
}

/** Mean standard deviation of continuous actions, exp(logStd). */
function actionStd({ learner }: OnPolicySystem): PPOMetrics {
  const entry = learner.layout.entries.find(({ name }) => name === 'logStd');
  if (entry === undefined) return {};
  const logStd = learner.readParameters().subarray(entry.offset, entry.offset + entry.size);
  return { 'train/actionStd': logStd.reduce((sum, value) => sum + Math.exp(value), 0) / entry.size };
}
