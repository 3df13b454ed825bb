/** A2C among several agents: a learner for every policy, each with the steps that it took. */

import { createLearningAgents, learnSteps } from '../../src/algorithm/agents/agents-learning.ts';
import type { LearningPolicy } from '../../src/algorithm/agents/agents-policies.ts';
import { samplesOf } from '../../src/algorithm/agents/agents-samples.ts';
import { createAgentsSystem } from '../../src/algorithm/agents/agents-system.ts';
import { withOverrides } from '../../src/algorithm/agents/policy-config.ts';
import type { Student } from '../../src/algorithm/agents/rollout-agents.ts';
import type { Algorithm } from '../../src/algorithm/algorithm.ts';
import { schedulesState } from '../../src/algorithm/own-state.ts';
import { stateName } from '../../src/algorithm/policy-names.ts';
import { createSchedules } from '../../src/config/schedules.ts';
import { a2cOptions, checkA2C, type ResolvedA2CConfig } from './config.ts';
import { policyGradientParts } from './loss-parts.ts';

/**
 * Starts A2C in an environment of several agents. As `createA2C`, but a sample is an agent's own step, and each policy makes one step of its
 * optimizer over the samples that it took. With one agent an environment the numbers are those of `createA2C`.
 *
 * @throws ConfigError when environment, policies and options do not fit together.
 */
export async function createMultiAgentA2C(config: ResolvedA2CConfig): Promise<Algorithm> {
  const system = await createAgentsSystem<ResolvedA2CConfig>(config, {
    configOf: (entry) => withOverrides(config, entry, a2cOptions.training, checkA2C),
    lossOf: ({ training }) => policyGradientParts(training),
    boundsOf: (_config, numSamples) => ({ numEpochs: 1, minibatchSize: numSamples }),
  });
  return createLearningAgents('a2c', config, system, createStudent);
}

function createStudent(policy: LearningPolicy<ResolvedA2CConfig>): Student {
  const { name, config, index } = policy;
  const { gamma, gaeLambda, normalizeAdvantages } = config.training;
  const schedules = createSchedules(a2cOptions.training, ['learningRate', 'entropyCoeff'], config.training);
  return {
    name,
    async learn(group, numEnvSteps) {
      const samples = samplesOf(group, index);
      const counts = { [`policy/${name}/numSteps`]: samples.length };
      if (samples.length === 0) return counts; // nobody's turn came: there is nothing to learn from
      const scalars = schedules.at(numEnvSteps);
      const { metrics } = await learnSteps(policy, group, {
        ...{ samples, gamma, gaeLambda, scalars, normalizeAdvantages, targetKl: null },
        ...{ numEpochs: 1, minibatchSize: samples.length, permutations: samples },
      });
      return {
        ...counts,
        ...metrics,
        'train/learningRate': scalars.learningRate,
        'train/entropyCoeff': scalars.entropyCoeff,
      };
    },
    setSchedule: schedules.set,
    state: [schedulesState(schedules, stateName(name, 'schedules'))],
  };
}
