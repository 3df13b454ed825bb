/** Parallelised Q-network (Gallici et al. 2025, arXiv:2407.04811): Q-learning without a replay buffer or a target network, top to bottom. */

import type { Algorithm } from '../../src/algorithm/algorithm.ts';
import { createIterationTally } from '../../src/algorithm/iteration-tally.ts';
import { tellCritic } from '../../src/algorithm/learning-report.ts';
import { createObjectiveAlgorithm } from '../../src/algorithm/objective-algorithm.ts';
import { createObjectiveSystem } from '../../src/algorithm/objective-system.ts';
import { schedulesState, streamState } from '../../src/algorithm/own-state.ts';
import { createRewardScaling } from '../../src/algorithm/reward-scaling.ts';
import type { Iteration } from '../../src/algorithm/shell.ts';
import { numEnvRunnersOf } from '../../src/config/derived.ts';
import { createSchedules } from '../../src/config/schedules.ts';
import { ON_POLICY_COLUMNS } from '../../src/experience/layout.ts';
import { shufflePermutation } from '../../src/random/shuffle.ts';
import { openStream } from '../../src/random/streams.ts';
import { computeGae } from '../../src/targets/gae.ts';
import { pqnOptions, type ResolvedPQNConfig } from './config.ts';
import { portions } from './minibatch.ts';
import { createMinibatches } from './sequences.ts';
import { pqnParts } from './setup.ts';

/**
 * Starts PQN: environments, workers, network and learner.
 *
 * One iteration:
 *
 *     publish the weights        with epsilon; workers act greedily but for that
 *     collect N x T steps        values are max_a Q(s, a), over the allowed actions
 *     scale rewards              by the deviation of the discounted return, when asked for
 *     returns                    Q(lambda): GAE over max_a Q, plus it; truncated episodes bootstrap from their true last observation
 *     numEpochs x minibatches    regression of Q(s, a) on the returns; Adam, gradient norm clipped; with a recurrent cell minibatches are of sequences
 *     observation statistics     learn from this rollout, for the next one
 *
 * Thread: main; the call resolves when every worker is ready. `stop()` the result.
 *
 * @throws ConfigError when environment, network and options do not fit together.
 */
export async function createPQN(config: ResolvedPQNConfig): Promise<Algorithm> {
  const { training, envRunners, debugging, faultTolerance } = config;
  const { numEnvs, rolloutLength } = envRunners;
  const { gamma, lambda, numEpochs, recurrent, sequenceLength } = training;
  const numSamples = numEnvs * rolloutLength;
  const numEnvRunners = numEnvRunnersOf(config);
  const columns = recurrent === null ? ON_POLICY_COLUMNS : { ...ON_POLICY_COLUMNS, sequenceLength };
  const options = { rolloutLength, columns, numEnvRunners };
  const system = await createObjectiveSystem(config, options, (env) => pqnParts(env, config));
  const { runners, learner, scaling, spec } = system;
  const schedules = createSchedules(pqnOptions.training, ['learningRate', 'epsilon'], training);
  const shuffle = openStream(debugging.seed, 'shuffle');
  const rewards = createRewardScaling(envRunners, gamma);
  const minibatches = createMinibatches(config, spec);
  const permutation = new Int32Array(minibatches.numItems); // i32, of steps or sequences

  const iterate = async (numEnvSteps: number): Promise<Iteration> => {
    const tally = createIterationTally();
    const { learningRate, epsilon } = schedules.at(numEnvSteps);
    const start = performance.now();
    const version = system.publish({ epsilon, noiseStd: 0, isRandom: false });
    const collected = await runners.collect(version);
    const { rollout } = collected;
    tally.addFragment(collected);

    const collectedAt = performance.now();
    rewards.absorb(rollout);
    computeGae(rollout, { gamma, gaeLambda: lambda, ...rewards.now });

    const returnsAt = performance.now();
    for (let epoch = 0; epoch < numEpochs; epoch++) {
      shufflePermutation(permutation, shuffle);
      for (const [first, numUpdates, size] of portions(minibatches.numItems, minibatches.perBatch)) {
        const stats = await learner.update({
          numUpdates,
          batchSize: size * minibatches.stepsPerItem,
          fill(k, { columns }) {
            const begin = first + k * size;
            minibatches.fill(rollout, permutation.subarray(begin, begin + size), columns);
          },
          scalars: { learningRate },
          observationStatistics: scaling.statistics,
          nonFinite: faultTolerance.nonFinite,
        });
        tally.addUpdates(stats);
      }
    }
    scaling.absorb(rollout);
    return tally.finish(numSamples, {
      ...tally.trainMetrics(),
      ...tellCritic(rollout),
      'train/learningRate': learningRate,
      'train/epsilon': epsilon,
      'time/rolloutMs': collectedAt - start,
      'time/advantageMs': returnsAt - collectedAt,
      'time/learnMs': performance.now() - returnsAt,
    });
  };

  return createObjectiveAlgorithm({
    name: 'pqn',
    config,
    system,
    collects: `${numEnvs} environments x ${rolloutLength} steps`,
    iterate,
    // Collecting changes nothing that is saved; learning may have stopped between two minibatches.
    isHalfDone: () => !runners.isCollecting,
    state: [streamState('shuffle', shuffle), rewards.state, schedulesState(schedules)],
    setSchedule: schedules.set,
  });
}
