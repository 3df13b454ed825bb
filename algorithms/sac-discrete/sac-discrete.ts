/** Soft actor-critic for a choice among actions (Christodoulou 2019, arXiv:1910.07207): SAC's loop with a policy and losses of its own. */
import type { Algorithm } from '../../src/algorithm/algorithm.ts';
import { scheduledValue } from '../../src/config/schedules.ts';
import { createSoftActorCritic, type SoftActorCriticVariant } from '../sac/sac.ts';
import { type ResolvedSACDiscreteConfig, sacDiscreteOptions } from './config.ts';
import { sacDiscreteParts } from './setup.ts';

/**
 * Starts discrete SAC. Of SAC's round, in `../sac/sac.ts`, expectations over actions are sums where SAC draws one action:
 *
 *         critics         towards r + discount sum_a pi(a|s') (min_i q_i'(s', a) - temperature log pi(a|s'))
 *         actor           down sum_a pi(a|s) (temperature log pi(a|s) - min_i q_i(s, a))
 *         temperature     towards an entropy of targetEntropyScale log(number of actions)
 *
 * @throws ConfigError when environment, networks, memory and options do not fit together.
 */
export async function createSACDiscrete(config: ResolvedSACDiscreteConfig): Promise<Algorithm> {
  return createSoftActorCritic(config, sacDiscreteVariant(config));
}

export function sacDiscreteVariant(config: ResolvedSACDiscreteConfig): SoftActorCriticVariant {
  const { targetEntropyScale, scheduleSteps } = config.training;
  const scale = sacDiscreteOptions.training.targetEntropyScale;
  return {
    name: 'sac-discrete',
    parts: (env) => sacDiscreteParts(env, config),
    targetEntropy: ({ networks }, numEnvSteps) =>
      scheduledValue('targetEntropyScale', scale, targetEntropyScale, { step: numEnvSteps, scheduleSteps }) *
      Math.log(networks.actor.outputs),
  };
}
