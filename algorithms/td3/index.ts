/** TD3 as the registry and the public interface see it. The algorithm itself is loaded when it is built. */
import { startOneOrSeveral } from '../../src/algorithm/agents/start-one-or-several.ts';
import { defineAlgorithm } from '../../src/define/define-algorithm.ts';
import { checkTD3, td3Options } from './config.ts';
import { td3Metrics } from './metrics.ts';
import { tunedTD3 } from './tuned.ts';

export const td3 = defineAlgorithm({
  name: 'td3',
  title: 'Twin delayed deep deterministic policy gradient (Fujimoto et al. 2018)',
  options: td3Options,
  check: checkTD3,
  metrics: td3Metrics,
  headline: {
    'train/criticLoss': 'critic loss',
    'train/actorLoss': 'actor loss',
    'train/qMean': 'Q',
  },
  summary: ['train/saturation', 'replay/size'],
  tunedDefaults: tunedTD3,
  create: (config) =>
    startOneOrSeveral(
      config,
      async () => (await import('./td3.ts')).createTD3(config),
      async () => (await import('./multi-agent.ts')).createMultiAgentTD3(config),
    ),
});

/** TD3's configuration builder. */
export const TD3Config = td3.Config;
