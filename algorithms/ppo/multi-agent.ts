/** PPO among several agents: a learner for every policy, each with the steps that it took. */

import { createLearningAgents, learnSteps } from '../../src/algorithm/agents/agents-learning.ts';
import type { LearningPolicy } from '../../src/algorithm/agents/agents-policies.ts';
import { samplesOf } from '../../src/algorithm/agents/agents-samples.ts';
import { createAgentsSystem } from '../../src/algorithm/agents/agents-system.ts';
import { withOverrides } from '../../src/algorithm/agents/policy-config.ts';
import type { Student } from '../../src/algorithm/agents/rollout-agents.ts';
import type { Algorithm } from '../../src/algorithm/algorithm.ts';
import { adaptedState, schedulesState, streamState } from '../../src/algorithm/own-state.ts';
import { policyStream, stateName } from '../../src/algorithm/policy-names.ts';
import { createSchedules } from '../../src/config/schedules.ts';
import { shuffleInPlace } from '../../src/random/shuffle.ts';
import { checkPPO, ppoOptions, type ResolvedPPOConfig } from './config.ts';
import { createKlPenalty } from './kl-penalty.ts';
import { ppoLossParts } from './loss-parts.ts';

/**
 * Starts PPO in an environment of several agents. As `createPPO`, with these differences: a sample is an agent's own step; rewards that come
 * until it acts again, or ends, are that step's; advantages run along an agent's own steps, and are normalised over one policy's samples;
 * policies learn one after the other, in the order of their names. With one agent an environment the numbers are those of `createPPO`.
 *
 * @throws ConfigError when environment, policies and options do not fit together.
 */
export async function createMultiAgentPPO(config: ResolvedPPOConfig): Promise<Algorithm> {
  const system = await createAgentsSystem<ResolvedPPOConfig>(config, {
    configOf: (entry) => withOverrides(config, entry, ppoOptions.training, checkPPO),
    lossOf: ({ training }) => ppoLossParts(training),
    boundsOf: ({ training }) => training,
  });
  return createLearningAgents('ppo', config, system, createStudent);
}

function createStudent(policy: LearningPolicy<ResolvedPPOConfig>): Student {
  const { name, config, index } = policy;
  const { training, debugging } = config;
  const { gamma, gaeLambda, minibatchSize, normalizeAdvantages, targetKl, valueClipRange, numEpochs } =
    training;
  const schedules = createSchedules(
    ppoOptions.training,
    ['learningRate', 'clipRange', 'entropyCoeff'],
    training,
  );
  const klPenalty = createKlPenalty(training);
  const shuffle = policyStream(debugging.seed, 'shuffle', name);
  return {
    name,
    async learn(group, numEnvSteps) {
      const samples = samplesOf(group, index);
      const counts = { [`policy/${name}/numSteps`]: samples.length };
      if (samples.length === 0) return counts; // nobody's turn came: there is nothing to learn from
      const scalars = {
        ...schedules.at(numEnvSteps),
        valueClipRange: valueClipRange ?? 0,
        klPenaltyCoeff: klPenalty.coeff,
      };
      const { update, metrics } = await learnSteps(policy, group, {
        ...{ samples, gamma, gaeLambda, numEpochs, minibatchSize, scalars, normalizeAdvantages, targetKl },
        permutations: shuffledSamples(samples, numEpochs, shuffle),
      });
      klPenalty.adapt(update.means.approxKl);
      return {
        ...counts,
        ...metrics,
        'train/numEpochs': update.numEpochs,
        'train/learningRate': scalars.learningRate,
        'train/clipRange': scalars.clipRange,
        'train/entropyCoeff': scalars.entropyCoeff,
        ...(training.klPenaltyCoeff > 0 ? { 'train/klPenaltyCoeff': scalars.klPenaltyCoeff } : {}),
      };
    },
    setSchedule: schedules.set,
    state: [
      streamState(stateName(name, 'shuffle'), shuffle),
      schedulesState(schedules, stateName(name, 'schedules')),
      adaptedState(
        stateName(name, 'klPenaltyCoeff'),
        { path: ['training', 'klPenaltyCoeff'], value: training.klPenaltyCoeff },
        klPenalty,
      ),
    ],
  };
}

/** [numEpochs, samples]: the samples in another order in every epoch. */
function shuffledSamples(
  samples: Int32Array,
  numEpochs: number,
  stream: Parameters<typeof shuffleInPlace>[1],
) {
  const count = samples.length;
  const permutations = new Int32Array(numEpochs * count);
  for (let epoch = 0; epoch < numEpochs; epoch++) {
    const order = permutations.subarray(epoch * count, (epoch + 1) * count);
    order.set(samples);
    shuffleInPlace(order, stream);
  }
  return permutations;
}
