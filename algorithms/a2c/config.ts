/** A2C's options: the shared sections and its own `training`. */
import { actorCriticOptions, checkActorCritic } from '../../src/config/blocks/actor-critic.ts';
import { curiosityOptions } from '../../src/config/blocks/curiosity.ts';
import { multiAgentOptions } from '../../src/config/blocks/multi-agent.ts';
import { optimizerOptions } from '../../src/config/blocks/optimizer.ts';
import { policyGradientOptions } from '../../src/config/blocks/policy-gradient.ts';
import { checkRecurrent, recurrentOrAttentionOptions } from '../../src/config/blocks/recurrent.ts';
import { discountOptions, gaeOptions } from '../../src/config/blocks/returns.ts';
import { scheduleOptions } from '../../src/config/blocks/schedules.ts';
import { checkSelfPlay, selfPlayOptions } from '../../src/config/blocks/self-play.ts';
import { onPolicyOptions } from '../../src/config/common-options.ts';
import { type ConfigInput, type ResolvedConfig, withDefaults } from '../../src/config/option.ts';
import type { Problem } from '../../src/config/problems.ts';

export const a2cOptions = {
  ...onPolicyOptions,
  envRunners: withDefaults(onPolicyOptions.envRunners, { rolloutLength: 5 }),
  multiAgent: multiAgentOptions,
  selfPlay: selfPlayOptions,
  training: {
    ...withDefaults(optimizerOptions, { learningRate: 7e-4, maxGradNorm: 0.5, adamEpsilon: 1e-5 }),
    ...discountOptions,
    ...withDefaults(gaeOptions, { gaeLambda: 1 }),
    ...policyGradientOptions,
    ...scheduleOptions,
    ...actorCriticOptions,
    ...withDefaults(recurrentOrAttentionOptions, { sequenceLength: 5 }),
    ...curiosityOptions,
  },
};

export type A2COptions = typeof a2cOptions;
/** A2C's configuration after defaults and checks, by section. */
export type ResolvedA2CConfig = ResolvedConfig<A2COptions>;
/** What a user writes: any subset, by section. */
export type A2CConfigInput = ConfigInput<A2COptions>;

/** What A2C's options must be to each other; the shared ones are checked before. */
export function checkA2C(config: ResolvedA2CConfig): readonly Problem[] {
  return [...checkActorCritic(config), ...checkRecurrent(config), ...checkSelfPlay(config)];
}
