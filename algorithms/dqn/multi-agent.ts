/** DQN among several agents: a network, a replay buffer and a learner for every policy, each with the steps that it took. */

import { stateName } from '../../src/algorithm/agents/agents-learning.ts';
import { refuseAmongSeveral } from '../../src/algorithm/agents/agents-stage.ts';
import {
  configOfLearner,
  createAgentsDraws,
  createOffPolicyAgents,
  type OffPolicyStudent,
} from '../../src/algorithm/agents/off-policy-agents.ts';
import {
  createOffPolicyAgentsSystem,
  type OffPolicyLearner,
} from '../../src/algorithm/agents/off-policy-agents-system.ts';
import type { Algorithm } from '../../src/algorithm/algorithm.ts';
import { schedulesState } from '../../src/algorithm/own-state.ts';
import { isCrossed } from '../../src/algorithm/pace.ts';
import { createSchedules } from '../../src/config/schedules.ts';
import { checkDQN, dqnOptions, type ResolvedDQNConfig } from './config.ts';
import { dqnParts } from './setup.ts';

/**
 * Starts DQN in an environment of several agents. As `createDQN`, with these differences: a transition leads from an agent's own step to its next
 * one, with every reward in between; n-step returns run along these; each policy draws from what it did itself. Paces, schedules and
 * targetInterval count environment steps, whoever acts in them.
 *
 * @throws ConfigError when environment, policies and options do not fit together.
 */
export async function createMultiAgentDQN(config: ResolvedDQNConfig): Promise<Algorithm> {
  const system = await createOffPolicyAgentsSystem<ResolvedDQNConfig>(config, {
    configOf(entry) {
      const own = configOfLearner(config, entry, dqnOptions.training, checkDQN);
      checkTraining(own);
      return own;
    },
    describe: dqnParts,
  });
  return createOffPolicyAgents('dqn', config, system, createStudent);
}

/** What knows of environments, and not of agents; and a bound in bytes, which rings that are made as rows first act do not have. */
function checkTraining({ training }: ResolvedDQNConfig): void {
  if (training.recurrent !== null) refuseAmongSeveral('recurrent');
  if (training.prioritised) refuseAmongSeveral('prioritised');
  if (training.noisy) refuseAmongSeveral('noisy');
  if (training.hindsight !== 'none') refuseAmongSeveral('hindsight');
  if (training.prefill !== null) refuseAmongSeveral('prefill');
  if (training.replayBytes !== null) refuseAmongSeveral('replayBytes');
}

function createStudent({
  name,
  config,
  learner,
  scaling,
  replay,
}: OffPolicyLearner<ResolvedDQNConfig>): OffPolicyStudent {
  const { training, debugging, faultTolerance } = config;
  const { tau, targetInterval, learningStarts } = training;
  const draws = createAgentsDraws(replay, name, debugging.seed, training);
  const schedules = createSchedules(dqnOptions.training, ['learningRate', 'epsilon'], training);
  return {
    exploration: (step) => ({
      epsilon: schedules.at(step).epsilon,
      noiseStd: 0,
      isRandom: step < learningStarts,
    }),
    learn: (numUpdates, numEnvSteps) =>
      learner.update({
        numUpdates,
        fill: (_k, batch) => draws.fill(batch),
        scalars: { learningRate: schedules.at(numEnvSteps).learningRate, tau: tau ?? 0 },
        observationStatistics: scaling.statistics,
        nonFinite: faultTolerance.nonFinite,
      }),
    afterRound(before, after) {
      if (tau === null && isCrossed(targetInterval, before, after)) learner.blendTargets(1);
    },
    metrics(numEnvSteps) {
      const { learningRate, epsilon } = schedules.at(numEnvSteps);
      return { 'train/learningRate': learningRate, 'train/epsilon': epsilon };
    },
    state: [draws.state, schedulesState(schedules, stateName(name, 'schedules'))],
    setSchedule: schedules.set,
  };
}
