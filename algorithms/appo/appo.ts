/** Asynchronous proximal policy optimization (IMPACT, Luo et al. 2020, arXiv:1912.00167): the whole algorithm, top to bottom. */

import { type ActorLearner, createActorLearner, createPolicyLag } from '../../src/algorithm/actor-learner.ts';
import type { Algorithm } from '../../src/algorithm/algorithm.ts';
import { type Curiosity, createCuriosity } from '../../src/algorithm/curiosity/curiosity.ts';
import type { Fragment } from '../../src/algorithm/fragment-stream.ts';
import { createIterationTally } from '../../src/algorithm/iteration-tally.ts';
import { tellCritic, tellPolicy } from '../../src/algorithm/learning-report.ts';
import { createOnPolicyAlgorithm, type OnPolicyIteration } from '../../src/algorithm/on-policy-algorithm.ts';
import { schedulesState, streamState } from '../../src/algorithm/own-state.ts';
import { createRewardScaling, type RewardScaling } from '../../src/algorithm/reward-scaling.ts';
import { createSchedules } from '../../src/config/schedules.ts';
import { createRolloutOrder } from '../../src/learner/epoch-order.ts';
import { openStream, type Stream } from '../../src/random/streams.ts';
import { computeVtrace } from '../../src/targets/vtrace.ts';
import { ppoLossParts } from '../ppo/loss-parts.ts';
import { appoOptions, type ResolvedAPPOConfig } from './config.ts';
import { PLAIN_LOSS, SCHEDULES } from './loss-parts.ts';
import type { APPOMetrics } from './metrics.ts';
import { surrogateLogProbs } from './surrogate.ts';

/** The bonus is scaled where it is made. */
const AS_IT_IS = { rewardScale: 1, clipReward: Number.POSITIVE_INFINITY } as const;

/**
 * Starts APPO: environments, workers, network and learner.
 *
 * One iteration is `fragmentsPerIteration` times:
 *
 *     publish the weights        and tell the workers what may be collected with them: they are up to `lag` fragments ahead
 *     target policy              becomes the newest one at every `targetUpdateInterval`-th fragment
 *     the next fragment          N x T steps; it takes the place of the oldest in the circular buffer
 *     numPasses times            over the new fragment first, then over ones drawn from the buffer:
 *       judge                    log-probabilities by the target policy, values by the newest weights
 *       V-trace                  targets and advantages of the target policy, from steps of the one that acted
 *       curiosity                when asked for: a bonus for what is new, whose advantages (V-trace, too) are added; a step keeps the bonus of its first pass
 *       minibatches              surrogate clipped around the target policy, value loss, entropy bonus; Adam or RMSProp
 *     observation statistics     learn from the new fragment, for the next version
 *
 * Buffer and target policy begin anew with an iteration, so that a checkpoint between two needs neither.
 *
 * Thread: main; the call resolves when every worker is ready. `stop()` the result.
 *
 * @throws ConfigError when environment, network and options do not fit together.
 */
export async function createAPPO(config: ResolvedAPPOConfig): Promise<Algorithm> {
  const { training, envRunners, debugging } = config;
  const { gamma, fragmentsPerIteration, numPasses, circularBufferSize } = training;
  const { targetUpdateInterval, valueCoeff, minibatchSize } = training;
  const numSamples = envRunners.numEnvs * envRunners.rolloutLength;
  const plan = { numEpochs: 1, minibatchSize };
  const kept = { numKept: circularBufferSize, numOwnSlots: 1, numColumns: 2 };
  const loss = ppoLossParts({ ...PLAIN_LOSS, valueCoeff });
  const actorLearner = await createActorLearner(config, loss, plan, kept);
  const { system, fragments, addressOf, copySlot, notes } = actorLearner;
  const [target] = actorLearner.ownSlots;
  const { learner, scaling } = system;
  const schedules = createSchedules(appoOptions.training, [...SCHEDULES], training);
  const rewards = createRewardScaling(envRunners, gamma);
  const shuffle = openStream(debugging.seed, 'shuffle');
  const replay = openStream(debugging.seed, 'circular-buffer');
  const curiosity = await createCuriosity(system, config, minibatchSize);

  const learn = createPass(config, actorLearner, curiosity, rewards, shuffle);

  const iterate = async (numEnvSteps: number): Promise<OnPolicyIteration> => {
    const tally = createIterationTally();
    const lag = createPolicyLag();
    const buffer: Fragment[] = [];
    const spent = { passMs: 0, learnMs: 0 };
    let told: Partial<APPOMetrics> = {};
    fragments.begin(fragmentsPerIteration);
    for (let k = 0; k < fragmentsPerIteration; k++) {
      const scalars = schedules.at(numEnvSteps + k * numSamples);
      const fragment = await fragments.next();
      const { rollout, version } = fragment;
      if (k % targetUpdateInterval === 0) copySlot(addressOf(version), target);
      tally.addFragment(fragment);
      rewards.absorb(rollout);
      buffer.push(fragment);
      if (buffer.length > circularBufferSize) buffer.shift();

      const passAt = performance.now();
      for (let pass = 0; pass < numPasses; pass++) {
        const chosen = pass === 0 ? fragment : buffer[replay.integer(buffer.length)];
        lag.add(chosen.rollout.policyVersions, version);
        const { curious, ms, ...update } = await learn(chosen, version, scalars, pass === 0);
        tally.addUpdates(update);
        spent.learnMs += ms;
        told = { ...curious };
      }
      spent.passMs += performance.now() - passAt;
      Object.assign(told, Object.fromEntries(SCHEDULES.map((name) => [`train/${name}`, scalars[name]])));
      if (k === fragmentsPerIteration - 1) Object.assign(told, tellCritic(rollout));
      scaling.absorb(rollout);
    }
    const metrics: APPOMetrics = {
      ...tally.trainMetrics(),
      ...told,
      ...tellPolicy(learner),
      ...lag.metrics(),
      ...fragments.takeMetrics(),
      'time/rolloutMs': fragments.takeMs(),
      'time/advantageMs': spent.passMs - spent.learnMs,
      'time/learnMs': spent.learnMs,
    };
    const { episodes, envMetrics } = tally.finish(0, {});
    return { collected: { episodes, metrics: envMetrics }, metrics };
  };

  return createOnPolicyAlgorithm({
    name: 'appo',
    config,
    system,
    iterate,
    numRollouts: fragmentsPerIteration,
    isHalfDone: () => fragments.hasBegun,
    notes,
    state: [
      streamState('shuffle', shuffle),
      streamState('circularBuffer', replay),
      rewards.state,
      ...(curiosity === null ? [] : [curiosity.state]),
      schedulesState(schedules),
    ],
    setSchedule: schedules.set,
    async settle() {
      await fragments.settle();
      await curiosity?.stop();
    },
  });
}

/** One pass over a fragment: judge, targets, minibatches. */
function createPass(
  { training, envRunners, faultTolerance }: ResolvedAPPOConfig,
  { system, scorer, addressOf, columns, ownSlots }: ActorLearner,
  curiosity: Curiosity | null,
  rewards: RewardScaling,
  shuffle: Stream,
) {
  const { gamma, vtraceLambda: lambda, rhoClip, traceClip, minibatchSize } = training;
  const { learner, scaling } = system;
  const [target] = ownSlots;
  const [targetLogProbs, oldLogProbs] = columns; // f32 [N, T] each
  const numSamples = envRunners.numEnvs * envRunners.rolloutLength;
  const orderEpoch = createRolloutOrder(training, learner.engine, numSamples, minibatchSize);
  const permutations = new Int32Array(numSamples); // [N * T] i32
  const plan = { numEpochs: 1, minibatchSize };
  return async (
    { rollout }: Fragment,
    version: number,
    scalars: Record<(typeof SCHEDULES)[number], number>,
    isNew: boolean,
  ) => {
    scorer.logProbs(rollout, target, targetLogProbs);
    scorer.values(rollout, addressOf(version));
    const clips = { lambda, rhoClip, traceClip };
    computeVtrace(rollout, rollout.logProbs, targetLogProbs, { gamma, ...clips, ...rewards.now }, rollout);
    await curiosity?.[isNew ? 'judge' : 'judgeAgain'](rollout, (steps, gamma) =>
      computeVtrace(steps, rollout.logProbs, targetLogProbs, { gamma, ...clips, ...AS_IT_IS }, steps),
    );
    surrogateLogProbs(rollout.logProbs, targetLogProbs, oldLogProbs);
    orderEpoch(permutations, shuffle);
    const begin = performance.now();
    const update = await learner.update(
      { ...rollout, logProbs: oldLogProbs },
      {
        ...plan,
        permutations,
        scalars: { ...scalars, valueClipRange: 0, klPenaltyCoeff: 0 },
        normalizeAdvantages: training.normalizeAdvantages,
        targetKl: null,
        observationStatistics: scaling.statistics,
        nonFinite: faultTolerance.nonFinite,
      },
    );
    const ms = performance.now() - begin;
    const { learningRate } = scalars;
    const curious = await curiosity?.learn(rollout, { numEpochs: 1, permutations, learningRate });
    return { ...update, numUpdates: update.numMinibatches - update.numSkipped, ms, curious };
  };
}
