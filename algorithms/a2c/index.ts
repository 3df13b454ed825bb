/** A2C as the registry and the public interface see it. The algorithm itself is loaded when it is built. */
import { startOneOrSeveral } from '../../src/algorithm/agents/start-one-or-several.ts';
import { defineAlgorithm } from '../../src/define/define-algorithm.ts';
import { a2cOptions, checkA2C } from './config.ts';
import { a2cMetrics } from './metrics.ts';
import { tunedA2C } from './tuned.ts';

export const a2c = defineAlgorithm({
  name: 'a2c',
  title: 'Advantage actor-critic, all environments in step (Mnih et al. 2016)',
  options: a2cOptions,
  check: checkA2C,
  metrics: a2cMetrics,
  headline: {
    'train/entropy': 'entropy',
    'train/policyLoss': 'policy loss',
    'train/valueLoss': 'value loss',
  },
  summary: ['train/explainedVariance'],
  tunedDefaults: tunedA2C,
  create: (config) =>
    startOneOrSeveral(
      config,
      async () => (await import('./a2c.ts')).createA2C(config),
      async () => (await import('./multi-agent.ts')).createMultiAgentA2C(config),
    ),
});

/** A2C's configuration builder. */
export const A2CConfig = a2c.Config;
