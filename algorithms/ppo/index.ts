/** PPO as the registry and the public interface see it. The algorithm itself is loaded when it is built. */

import { startOneOrSeveral } from '../../src/algorithm/agents/start-one-or-several.ts';
import { defineAlgorithm } from '../../src/define/define-algorithm.ts';
import { checkPPO, ppoOptions } from './config.ts';
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
  create: (config) =>
    startOneOrSeveral(
      config,
      async () => (await import('./ppo.ts')).createPPO(config),
      async () => (await import('./multi-agent.ts')).createMultiAgentPPO(config),
    ),
});

/** PPO's configuration builder. */
export const PPOConfig = ppo.Config;
