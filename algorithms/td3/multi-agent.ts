/** TD3 among several agents: networks, a replay buffer and a learner for every policy, each with the steps that it took. */

import { refuseAmongSeveral } from '../../src/algorithm/agents/agents-stage.ts';
import { configOfLearner, createOffPolicyAgents } from '../../src/algorithm/agents/off-policy-agents.ts';
import { createOffPolicyAgentsSystem } from '../../src/algorithm/agents/off-policy-agents-system.ts';
import type { Algorithm } from '../../src/algorithm/algorithm.ts';
import { checkTD3, type ResolvedTD3Config, td3Options } from './config.ts';
import { createTd3Student, td3Parts } from './td3.ts';

/**
 * Starts TD3 in an environment of several agents. As `createTD3`, with these differences: a transition leads from an agent's own step to its next
 * one, with every reward in between; each policy draws from what it did itself, and has streams of its own. Paces and schedules count
 * environment steps, whoever acts in them.
 *
 * @throws ConfigError when environment, policies and options do not fit together.
 */
export async function createMultiAgentTD3(config: ResolvedTD3Config): Promise<Algorithm> {
  const system = await createOffPolicyAgentsSystem<ResolvedTD3Config>(config, {
    configOf(entry) {
      const own = configOfLearner(config, entry, td3Options.training, checkTD3);
      if (own.training.recurrent !== null) refuseAmongSeveral('recurrent');
      return own;
    },
    describe: td3Parts,
  });
  return createOffPolicyAgents('td3', config, system, createTd3Student);
}
