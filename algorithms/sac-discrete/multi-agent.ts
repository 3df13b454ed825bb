/** Discrete SAC among several agents: SAC's loop there, with a policy and losses of its own. */
import type { Algorithm } from '../../src/algorithm/algorithm.ts';
import { createSoftActorCritics } from '../sac/multi-agent.ts';
import { checkSACDiscrete, type ResolvedSACDiscreteConfig, sacDiscreteOptions } from './config.ts';
import { sacDiscreteVariant } from './sac-discrete.ts';

/** @throws ConfigError when environment, policies and options do not fit together. */
export async function createMultiAgentSACDiscrete(config: ResolvedSACDiscreteConfig): Promise<Algorithm> {
  return createSoftActorCritics(config, {
    variantOf: sacDiscreteVariant,
    options: sacDiscreteOptions,
    check: checkSACDiscrete,
  });
}
