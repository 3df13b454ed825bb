/** Discrete SAC as the registry and the public interface see it. The algorithm itself is loaded when it is built. */
import { startOneOrSeveral } from '../../src/algorithm/agents/start-one-or-several.ts';
import { defineAlgorithm } from '../../src/define/define-algorithm.ts';
import { checkSACDiscrete, sacDiscreteOptions } from './config.ts';
import { sacDiscreteMetrics } from './metrics.ts';
import { tunedSACDiscrete } from './tuned.ts';

export const sacDiscrete = defineAlgorithm({
  name: 'sac-discrete',
  title: 'Soft actor-critic for a choice among actions (Christodoulou 2019)',
  options: sacDiscreteOptions,
  check: checkSACDiscrete,
  metrics: sacDiscreteMetrics,
  headline: {
    'train/temperature': 'temperature',
    'train/criticLoss': 'critic loss',
    'train/qMean': 'Q',
  },
  summary: ['train/entropy', 'train/maxProbability', 'replay/size'],
  tunedDefaults: tunedSACDiscrete,
  create: (config) =>
    startOneOrSeveral(
      config,
      async () => (await import('./sac-discrete.ts')).createSACDiscrete(config),
      async () => (await import('./multi-agent.ts')).createMultiAgentSACDiscrete(config),
    ),
});

/** Discrete SAC's configuration builder. */
export const SACDiscreteConfig = sacDiscrete.Config;
