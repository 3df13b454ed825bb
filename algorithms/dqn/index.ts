/** DQN as the registry and the public interface see it. The algorithm itself is loaded when it is built. */
import { startOneOrSeveral } from '../../src/algorithm/agents/start-one-or-several.ts';
import { defineAlgorithm } from '../../src/define/define-algorithm.ts';
import { checkDQN, dqnOptions } from './config.ts';
import { dqnMetrics } from './metrics.ts';
import { tunedDQN } from './tuned.ts';

export const dqn = defineAlgorithm({
  name: 'dqn',
  title:
    'Deep Q-networks (Mnih et al. 2015); double, dueling, distributional, prioritised, noisy and Rainbow as options',
  options: dqnOptions,
  check: checkDQN,
  metrics: dqnMetrics,
  headline: { 'train/epsilon': 'epsilon', 'train/loss': 'loss', 'train/qMean': 'Q' },
  summary: ['train/tdErrorMean', 'replay/size'],
  tunedDefaults: tunedDQN,
  create: (config) =>
    startOneOrSeveral(
      config,
      async () => (await import('./dqn.ts')).createDQN(config),
      async () => (await import('./multi-agent.ts')).createMultiAgentDQN(config),
    ),
});

/** DQN's configuration builder. */
export const DQNConfig = dqn.Config;
