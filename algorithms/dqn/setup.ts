/** From DQN's options and an environment to what its system is made from. */
import type { EnvDescription } from '../../src/algorithm/environment-source.ts';
import type { OffPolicyParts } from '../../src/algorithm/off-policy-system.ts';
import { replayParts } from '../../src/algorithm/replay-parts.ts';
import type { ResolvedDQNConfig } from './config.ts';
import { dqnLearning } from './learning.ts';
import { recurrentLearning } from './recurrent-learning.ts';

const IS_SOURCE = import.meta.url.endsWith('.ts');
const GRADIENT = new URL(IS_SOURCE ? './gradient.ts' : './gradient.js', import.meta.url).href;

/** @throws ConfigError `CONFIG_ACTION_SPACE` for continuous actions, `CONFIG_NETWORK`. */
export function dqnParts(env: EnvDescription, config: ResolvedDQNConfig): OffPolicyParts {
  const { training } = config;
  const { shape, acting, ...plain } = dqnLearning(env, config);
  const common = { acting, ...replayParts(env, training), isPrioritised: training.prioritised };
  if (training.recurrent !== null) {
    const { options, ...learning } = recurrentLearning(shape, training.recurrent, training);
    const closedForm = { module: GRADIENT, export: 'createDqnSequenceGradient', options };
    return { ...common, ...learning, closedForm };
  }
  const { model, objective, options } = plain;
  return {
    ...common,
    ...{ model, objective },
    closedForm: { module: GRADIENT, export: 'createDqnGradient', options },
    losses: async () => (await import('./loss.ts')).createDqnLoss(model, options),
  };
}
