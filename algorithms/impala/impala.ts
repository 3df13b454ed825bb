/** IMPALA (Espeholt et al. 2018, arXiv:1802.01561): workers collect while the learner learns; the whole algorithm, top to bottom. */

import { createActorLearner, createPolicyLag } from '../../src/algorithm/actor-learner.ts';
import type { Algorithm } from '../../src/algorithm/algorithm.ts';
import { createCuriosity } from '../../src/algorithm/curiosity/curiosity.ts';
import { createIterationTally } from '../../src/algorithm/iteration-tally.ts';
import { tellCritic, tellPolicy } from '../../src/algorithm/learning-report.ts';
import { createOnPolicyAlgorithm, type OnPolicyIteration } from '../../src/algorithm/on-policy-algorithm.ts';
import { schedulesState } from '../../src/algorithm/own-state.ts';
import { createRewardScaling } from '../../src/algorithm/reward-scaling.ts';
import { createSchedules } from '../../src/config/schedules.ts';
import { createRolloutOrder } from '../../src/learner/epoch-order.ts';
import { computeVtrace } from '../../src/targets/vtrace.ts';
import { policyGradientParts } from '../a2c/loss-parts.ts';
import { impalaOptions, type ResolvedIMPALAConfig } from './config.ts';
import type { IMPALAMetrics } from './metrics.ts';

/** The bonus is scaled where it is made. */
const AS_IT_IS = { rewardScale: 1, clipReward: Number.POSITIVE_INFINITY } as const;

/**
 * Starts IMPALA: environments, workers, network and learner.
 *
 * One iteration is `fragmentsPerIteration` times:
 *
 *     publish the weights        and tell the workers what may be collected with them: they are up to `lag` fragments ahead
 *     the next fragment          N x T steps; log-probabilities of the policy that acted, and its version
 *     scale rewards              by the deviation of the discounted return, when asked for
 *     judge                      log-probabilities and values by the newest weights
 *     V-trace                    targets and advantages of the policy that learns, from steps of the one that acted
 *     curiosity                  when asked for: a bonus for what is new, whose advantages (V-trace, too) are added
 *     one step of Adam           over the whole fragment: policy gradient, value loss, entropy bonus; gradient norm clipped
 *     observation statistics     learn from this fragment, for the next version
 *
 * Thread: main; the call resolves when every worker is ready. `stop()` the result.
 *
 * @throws ConfigError when environment, network and options do not fit together.
 */
export async function createIMPALA(config: ResolvedIMPALAConfig): Promise<Algorithm> {
  const { training, envRunners, faultTolerance } = config;
  const { gamma, vtraceLambda: lambda, rhoClip, traceClip, fragmentsPerIteration } = training;
  const numSamples = envRunners.numEnvs * envRunners.rolloutLength;
  const plan = { numEpochs: 1, minibatchSize: numSamples }; // one step over the whole fragment
  const kept = { numKept: 1, numOwnSlots: 0, numColumns: 1 };
  const { system, fragments, scorer, addressOf, columns, notes } = await createActorLearner(
    config,
    policyGradientParts(training),
    plan,
    kept,
  );
  const { learner, scaling } = system;
  const [targetLogProbs] = columns; // f32 [N, T]
  const schedules = createSchedules(impalaOptions.training, ['learningRate', 'entropyCoeff'], training);
  const rewards = createRewardScaling(envRunners, gamma);
  const permutations = new Int32Array(numSamples); // [N * T] i32: all of it, sequence by sequence where there are any
  createRolloutOrder(training, learner.engine, numSamples, numSamples)(permutations, null);
  const curiosity = await createCuriosity(system, config, numSamples);

  const iterate = async (numEnvSteps: number): Promise<OnPolicyIteration> => {
    const tally = createIterationTally();
    const lag = createPolicyLag();
    const spent = { judgeMs: 0, learnMs: 0 };
    let told: Partial<IMPALAMetrics> = {};
    fragments.begin(fragmentsPerIteration);
    for (let k = 0; k < fragmentsPerIteration; k++) {
      const scalars = schedules.at(numEnvSteps + k * numSamples);
      const fragment = await fragments.next();
      const { rollout, version } = fragment;
      tally.addFragment(fragment);
      lag.add(rollout.policyVersions, version);

      const judgeAt = performance.now();
      rewards.absorb(rollout);
      scorer.logProbs(rollout, addressOf(version), targetLogProbs);
      scorer.values(rollout, addressOf(version));
      const clips = { lambda, rhoClip, traceClip };
      const bounds = { gamma, ...clips, ...rewards.now };
      computeVtrace(rollout, rollout.logProbs, targetLogProbs, bounds, rollout);
      await curiosity?.judge(rollout, (steps, gamma) =>
        computeVtrace(steps, rollout.logProbs, targetLogProbs, { gamma, ...clips, ...AS_IT_IS }, steps),
      );

      const learnAt = performance.now();
      const orders = { ...plan, permutations };
      const update = await learner.update(rollout, {
        ...orders,
        scalars,
        normalizeAdvantages: training.normalizeAdvantages,
        targetKl: null,
        observationStatistics: scaling.statistics,
        nonFinite: faultTolerance.nonFinite,
      });
      tally.addUpdates({ ...update, numUpdates: update.numMinibatches - update.numSkipped });
      spent.judgeMs += learnAt - judgeAt;
      spent.learnMs += performance.now() - learnAt;
      const { learningRate } = scalars;
      const curious = await curiosity?.learn(rollout, { ...orders, learningRate });
      told = { ...curious, 'train/learningRate': learningRate, 'train/entropyCoeff': scalars.entropyCoeff };
      if (k === fragmentsPerIteration - 1) Object.assign(told, tellCritic(rollout));
      scaling.absorb(rollout);
    }
    const metrics: IMPALAMetrics = {
      ...tally.trainMetrics(),
      ...told,
      ...tellPolicy(learner),
      ...lag.metrics(),
      ...fragments.takeMetrics(),
      'time/rolloutMs': fragments.takeMs(),
      'time/advantageMs': spent.judgeMs,
      'time/learnMs': spent.learnMs,
    };
    const { episodes, envMetrics } = tally.finish(0, {});
    return { collected: { episodes, metrics: envMetrics }, metrics };
  };

  return createOnPolicyAlgorithm({
    name: 'impala',
    config,
    system,
    iterate,
    numRollouts: fragmentsPerIteration,
    isHalfDone: () => fragments.hasBegun,
    notes,
    state: [rewards.state, ...(curiosity === null ? [] : [curiosity.state]), schedulesState(schedules)],
    setSchedule: schedules.set,
    async settle() {
      await fragments.settle();
      await curiosity?.stop();
    },
  });
}
