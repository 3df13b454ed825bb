/** From DQN's options and an environment to what its system is made from. */
import type { EnvDescription } from '../../src/algorithm/environment-source.ts';
import type { OffPolicyParts } from '../../src/algorithm/off-policy-system.ts';
import { replayParts } from '../../src/algorithm/replay-parts.ts';
import type { ResolvedDQNConfig } from './config.ts';
import { dqnLearning } from './learning.ts';

const IS_SOURCE = import.meta.url.endsWith('.ts');
const GRADIENT = new URL(IS_SOURCE ? './gradient.ts' : './gradient.js', import.meta.url).href;

/** @throws ConfigError `CONFIG_ACTION_SPACE` for continuous actions, `CONFIG_NETWORK`. */
export function dqnParts(env: EnvDescription, config: ResolvedDQNConfig): OffPolicyParts {
  const { training } = config;
  const { model, objective, options, batchSize, acting } = dqnLearning(env, config);
  const isRecurrent = training.recurrent !== null;
  const closedForm = isRecurrent ? 'createDqnSequenceGradient' : 'createDqnGradient';
  return {
    model,
    objective,
    closedForm: { module: GRADIENT, export: closedForm, options },
    ...(!isRecurrent && {
      losses: async () => (await import('./loss.ts')).createDqnLoss(model, options),
    }),
    batchSize,
    acting,
    ...replayParts(env, training),
    isPrioritised: training.prioritised,
  };
}
