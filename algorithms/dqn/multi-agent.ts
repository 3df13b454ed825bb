/** DQN among several agents: a network, a replay buffer and a learner for every policy, each with the steps that it took. */

import { refuseAmongSeveral } from '../../src/algorithm/agents/agents-stage.ts';
import { configOfLearner, createOffPolicyAgents } from '../../src/algorithm/agents/off-policy-agents.ts';
import { createOffPolicyAgentsSystem } from '../../src/algorithm/agents/off-policy-agents-system.ts';
import type { Algorithm } from '../../src/algorithm/algorithm.ts';
import { checkDQN, dqnOptions, type ResolvedDQNConfig } from './config.ts';
import { createDqnStudent } from './dqn.ts';
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
      checkVariants(own);
      return own;
    },
    describe: dqnParts,
  });
  return createOffPolicyAgents('dqn', config, system, (parts) => createDqnStudent(parts, null));
}

/** Those that need rows which all stand at one position, or one network. */
function checkVariants({ training }: ResolvedDQNConfig): void {
  if (training.recurrent !== null) refuseAmongSeveral('recurrent');
  if (training.prioritised) refuseAmongSeveral('prioritised');
  if (training.noisy) refuseAmongSeveral('noisy');
}
