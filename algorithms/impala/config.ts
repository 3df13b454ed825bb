/** IMPALA's options: the shared sections and its own `training`. */
import { actorCriticOptions, checkActorCritic } from '../../src/config/blocks/actor-critic.ts';
import {
  actorLearnerLearners,
  actorLearnerOptions,
  checkActorLearner,
} from '../../src/config/blocks/actor-learner.ts';
import { curiosityOptions } from '../../src/config/blocks/curiosity.ts';
import { multiAgentOptions } from '../../src/config/blocks/multi-agent.ts';
import { optimizerOptions } from '../../src/config/blocks/optimizer.ts';
import { policyGradientOptions } from '../../src/config/blocks/policy-gradient.ts';
import { burnInOptions, checkRecurrent, recurrentOptions } from '../../src/config/blocks/recurrent.ts';
import { discountOptions } from '../../src/config/blocks/returns.ts';
import { scheduleOptions } from '../../src/config/blocks/schedules.ts';
import { checkSelfPlay, selfPlayOptions } from '../../src/config/blocks/self-play.ts';
import { onPolicyOptions } from '../../src/config/common-options.ts';
import { type ConfigInput, type ResolvedConfig, withDefaults } from '../../src/config/option.ts';
import { conflict, type Problem } from '../../src/config/problems.ts';

export const impalaOptions = {
  ...onPolicyOptions,
  envRunners: withDefaults(onPolicyOptions.envRunners, { rolloutLength: 20 }),
  learners: actorLearnerLearners,
  multiAgent: multiAgentOptions,
  selfPlay: selfPlayOptions,
  training: {
    ...withDefaults(optimizerOptions, { learningRate: 5e-4, maxGradNorm: 40, adamEpsilon: 1e-5 }),
    ...discountOptions,
    ...actorLearnerOptions,
    ...policyGradientOptions,
    ...scheduleOptions,
    ...actorCriticOptions,
    ...withDefaults(recurrentOptions, { sequenceLength: 20 }),
    ...burnInOptions,
    ...curiosityOptions,
  },
};

export type IMPALAOptions = typeof impalaOptions;
/** IMPALA's configuration after defaults and checks, by section. */
export type ResolvedIMPALAConfig = ResolvedConfig<IMPALAOptions>;
/** What a user writes: any subset, by section. */
export type IMPALAConfigInput = ConfigInput<IMPALAOptions>;

/** What IMPALA's options must be to each other; the shared ones are checked before. */
export function checkIMPALA(config: ResolvedIMPALAConfig): readonly Problem[] {
  const { burnIn, lag } = config.training;
  const inert = `burnIn (${burnIn}) has no effect while lag is 0: a fragment is learnt by the weights that collected it. Leave one of the two out.`;
  return [
    ...checkActorLearner(config),
    ...checkActorCritic(config),
    ...checkRecurrent(config),
    ...checkSelfPlay(config),
    ...(burnIn > 0 && lag === 0 ? [conflict(inert)] : []),
  ];
}
