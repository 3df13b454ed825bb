/** IMPALA as the registry and the public interface see it. The algorithm itself is loaded when it is built. */
import { startOneOrSeveral } from '../../src/algorithm/agents/start-one-or-several.ts';
import { defineAlgorithm } from '../../src/define/define-algorithm.ts';
import { checkIMPALA, impalaOptions } from './config.ts';
import { impalaMetrics } from './metrics.ts';
import { tunedIMPALA } from './tuned.ts';

export const impala = defineAlgorithm({
  name: 'impala',
  title: 'Importance weighted actor-learners: V-trace, workers ahead of the learner (Espeholt et al. 2018)',
  options: impalaOptions,
  check: checkIMPALA,
  metrics: impalaMetrics,
  headline: {
    'train/entropy': 'entropy',
    'train/policyLoss': 'policy loss',
    'time/policyLagMean': 'lag',
  },
  summary: ['train/explainedVariance', 'time/policyLagMax'],
  tunedDefaults: tunedIMPALA,
  create: (config) =>
    startOneOrSeveral(
      config,
      async () => (await import('./impala.ts')).createIMPALA(config),
      async () => (await import('./multi-agent.ts')).createMultiAgentIMPALA(config),
    ),
});

/** IMPALA's configuration builder. */
export const IMPALAConfig = impala.Config;
