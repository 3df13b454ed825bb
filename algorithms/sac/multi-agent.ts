/** SAC among several agents: networks, a replay buffer and a learner for every policy, each with the steps that it took. */

import { refuseAmongSeveral } from '../../src/algorithm/agents/agents-stage.ts';
import {
  configOfLearner,
  createOffPolicyAgents,
  type LoopConfig,
} from '../../src/algorithm/agents/off-policy-agents.ts';
import { createOffPolicyAgentsSystem } from '../../src/algorithm/agents/off-policy-agents-system.ts';
import type { Algorithm } from '../../src/algorithm/algorithm.ts';
import type { Declarations } from '../../src/config/option.ts';
import type { Problem } from '../../src/config/problems.ts';
import { checkSAC, type ResolvedSACConfig, type SoftActorCriticConfig, sacOptions } from './config.ts';
import { createSoftStudent, type SoftActorCriticVariant, sacVariant } from './sac.ts';

/** @throws ConfigError when environment, policies and options do not fit together. */
export async function createMultiAgentSAC(config: ResolvedSACConfig): Promise<Algorithm> {
  return createSoftActorCritics(config, { variantOf: sacVariant, options: sacOptions, check: checkSAC });
}

/** An algorithm that shares SAC's loop. */
export interface SoftActorCritics<C> {
  /** By a policy's own config. */
  readonly variantOf: (config: C) => SoftActorCriticVariant;
  readonly options: { readonly training: Declarations[string] };
  readonly check: (config: C) => readonly Problem[];
}

/**
 * Starts SAC, or what is SAC but for its critics and losses, in an environment of several agents. As `createSoftActorCritic`, with these
 * differences: a transition leads from an agent's own step to its next one, with every reward in between; each policy draws from what it did
 * itself, and has streams and a temperature of its own. Paces and schedules count environment steps, whoever acts in them.
 *
 * @throws ConfigError when environment, policies and options do not fit together.
 */
export async function createSoftActorCritics<C extends SoftActorCriticConfig & LoopConfig>(
  config: C,
  { variantOf, options, check }: SoftActorCritics<C>,
): Promise<Algorithm> {
  const system = await createOffPolicyAgentsSystem<C>(config, {
    configOf(entry) {
      const own = configOfLearner(config, entry, options.training, check);
      if (own.training.recurrent !== null) refuseAmongSeveral('recurrent');
      return own;
    },
    describe: (env, own) => variantOf(own).parts(env),
  });
  return createOffPolicyAgents(variantOf(config).name, config, system, (parts) =>
    createSoftStudent(parts, variantOf(parts.config)),
  );
}
