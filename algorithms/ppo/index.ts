/** PPO as the registry and the public interface see it. The algorithm itself is loaded when it is built. */
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
  create: async (config) => (await import('./ppo.ts')).createPPO(config),
});

/** PPO's configuration builder. */
export const PPOConfig = ppo.Config;
