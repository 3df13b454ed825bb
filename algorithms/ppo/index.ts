/** PPO as the registry and the public interface see it. The algorithm itself is loaded when it is built. */

import type { Algorithm } from '../../src/algorithm/algorithm.ts';
import { isMultiAgentSet } from '../../src/config/blocks/multi-agent.ts';
import { defineAlgorithm } from '../../src/define/define-algorithm.ts';
import { ConfigError } from '../../src/errors.ts';
import { checkPPO, ppoOptions, type ResolvedPPOConfig } from './config.ts';
import { ppoMetrics } from './metrics.ts';
import { tunedPPO } from './tuned.ts';

export const ppo = defineAlgorithm({
  name: 'ppo',
  title: 'Proximal policy optimization (Schulman et al. 2017)',
  options: ppoOptions,
  check: checkPPO,
  metrics: ppoMetrics,
  headline: {
    'train/approxKl': 'KL',
    'train/policyLoss': 'policy loss',
    'train/valueLoss': 'value loss',
  },
  summary: ['train/entropy', 'train/explainedVariance'],
  tunedDefaults: tunedPPO,
  create: startPPO,
});

/** An environment of several agents is found out about when one is made, unless the section `multiAgent` says so before. */
async function startPPO(config: ResolvedPPOConfig): Promise<Algorithm> {
  const startAmongSeveral = async () => (await import('./multi-agent.ts')).createMultiAgentPPO(config);
  if (isMultiAgentSet(config.multiAgent) || config.selfPlay.selfPlay !== 'off') return startAmongSeveral();
  try {
    return await (await import('./ppo.ts')).createPPO(config);
  } catch (error) {
    if (!(error instanceof ConfigError) || error.code !== 'CONFIG_SEVERAL_AGENTS') throw error;
    return startAmongSeveral();
  }
}

/** PPO's configuration builder. */
export const PPOConfig = ppo.Config;
