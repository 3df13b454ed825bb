/** APPO as the registry and the public interface see it. The algorithm itself is loaded when it is built. */
import { startOneOrSeveral } from '../../src/algorithm/agents/start-one-or-several.ts';
import { defineAlgorithm } from '../../src/define/define-algorithm.ts';
import { appoOptions, checkAPPO } from './config.ts';
import { appoMetrics } from './metrics.ts';
import { tunedAPPO } from './tuned.ts';

export const appo = defineAlgorithm({
  name: 'appo',
  title: 'Asynchronous PPO: clipped surrogate on V-trace, target policy, circular buffer (Luo et al. 2020)',
  options: appoOptions,
  check: checkAPPO,
  metrics: appoMetrics,
  headline: {
    'train/approxKl': 'KL',
    'train/entropy': 'entropy',
    'time/policyLagMean': 'lag',
  },
  summary: ['train/explainedVariance', 'time/policyLagMax'],
  tunedDefaults: tunedAPPO,
  create: (config) =>
    startOneOrSeveral(
      config,
      async () => (await import('./appo.ts')).createAPPO(config),
      async () => (await import('./multi-agent.ts')).createMultiAgentAPPO(config),
    ),
});

/** APPO's configuration builder. */
export const APPOConfig = appo.Config;
