/** PQN as the registry and the public interface see it. The algorithm itself is loaded when it is built. */
import { startOneOrSeveral } from '../../src/algorithm/agents/start-one-or-several.ts';
import { defineAlgorithm } from '../../src/define/define-algorithm.ts';
import { checkPQN, pqnOptions } from './config.ts';
import { pqnMetrics } from './metrics.ts';
import { tunedPQN } from './tuned.ts';

export const pqn = defineAlgorithm({
  name: 'pqn',
  title: 'Parallelised Q-network: Q-learning on rollouts (Gallici et al. 2025)',
  options: pqnOptions,
  check: checkPQN,
  metrics: pqnMetrics,
  headline: { 'train/epsilon': 'epsilon', 'train/loss': 'loss', 'train/qMean': 'Q' },
  summary: ['train/tdErrorMean', 'train/explainedVariance'],
  tunedDefaults: tunedPQN,
  create: (config) =>
    startOneOrSeveral(
      config,
      async () => (await import('./pqn.ts')).createPQN(config),
      async () => (await import('./multi-agent.ts')).createMultiAgentPQN(config),
    ),
});

/** PQN's configuration builder. */
export const PQNConfig = pqn.Config;
