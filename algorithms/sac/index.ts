/** SAC as the registry and the public interface see it. The algorithm itself is loaded when it is built. */
import { startOneOrSeveral } from '../../src/algorithm/agents/start-one-or-several.ts';
import { defineAlgorithm } from '../../src/define/define-algorithm.ts';
import { checkSAC, sacOptions } from './config.ts';
import { sacMetrics } from './metrics.ts';
import { tunedSAC } from './tuned.ts';

export const sac = defineAlgorithm({
  name: 'sac',
  title: 'Soft actor-critic (Haarnoja et al. 2018)',
  options: sacOptions,
  check: checkSAC,
  metrics: sacMetrics,
  headline: {
    'train/temperature': 'temperature',
    'train/criticLoss': 'critic loss',
    'train/qMean': 'Q',
  },
  summary: ['train/entropy', 'train/saturation', 'replay/size'],
  tunedDefaults: tunedSAC,
  create: (config) =>
    startOneOrSeveral(
      config,
      async () => (await import('./sac.ts')).createSAC(config),
      async () => (await import('./multi-agent.ts')).createMultiAgentSAC(config),
    ),
});

/** SAC's configuration builder. */
export const SACConfig = sac.Config;
