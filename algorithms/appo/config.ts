/** APPO's options: the shared sections and its own `training`. */

import { actorCriticOptions, checkActorCritic } from '../../src/config/blocks/actor-critic.ts';
import {
  actorLearnerLearners,
  actorLearnerOptions,
  checkActorLearner,
} from '../../src/config/blocks/actor-learner.ts';
import { curiosityOptions } from '../../src/config/blocks/curiosity.ts';
import { checkMinibatches, minibatchOptions } from '../../src/config/blocks/minibatches.ts';
import { multiAgentOptions } from '../../src/config/blocks/multi-agent.ts';
import { optimizerOptions } from '../../src/config/blocks/optimizer.ts';
import { policyGradientOptions } from '../../src/config/blocks/policy-gradient.ts';
import { burnInOptions, checkRecurrent, recurrentOptions } from '../../src/config/blocks/recurrent.ts';
import { discountOptions } from '../../src/config/blocks/returns.ts';
import { scheduleOptions } from '../../src/config/blocks/schedules.ts';
import { checkSelfPlay, selfPlayOptions } from '../../src/config/blocks/self-play.ts';
import { onPolicyOptions } from '../../src/config/common-options.ts';
import { type ConfigInput, option, type ResolvedConfig, withDefaults } from '../../src/config/option.ts';
import { conflict, type Problem } from '../../src/config/problems.ts';
import { choice } from '../../src/config/search-space.ts';
import * as kind from '../../src/config/value-kind.ts';

const { minibatchSize } = withDefaults(minibatchOptions, { minibatchSize: 80 });

export const appoOptions = {
  ...onPolicyOptions,
  envRunners: withDefaults(onPolicyOptions.envRunners, { rolloutLength: 20 }),
  learners: actorLearnerLearners,
  multiAgent: multiAgentOptions,
  selfPlay: selfPlayOptions,
  training: {
    ...withDefaults(optimizerOptions, { learningRate: 5e-4, maxGradNorm: 0.5, adamEpsilon: 1e-5 }),
    ...discountOptions,
    ...actorLearnerOptions,
    clipRange: option(kind.schedule({ min: 0, max: 1 }), {
      default: 0.2,
      doc: 'Clip range of the probability ratio to the target policy: 0.2 keeps it in [0.8, 1.2].',
      alsoCalled: ['clip_param', 'clipParam', 'clip_coef', 'clip_range'],
      search: choice([0.1, 0.2, 0.3, 0.4]),
    }),
    ...withDefaults(policyGradientOptions, { normalizeAdvantages: true }),
    targetUpdateInterval: option(kind.integer({ min: 1 }), {
      default: 2,
      unit: 'fragments',
      doc: 'The target policy becomes the newest one at every this many fragments of an iteration, beginning with the first.',
      alsoCalled: ['target_network_update_freq', 'target_update_frequency'],
    }),
    circularBufferSize: option(kind.integer({ min: 1, max: 64 }), {
      default: 4,
      unit: 'fragments',
      doc: 'Newest fragments of the iteration from which further passes are drawn.',
      alsoCalled: ['circular_buffer_num_batches'],
    }),
    numPasses: option(kind.integer({ min: 1, max: 64 }), {
      default: 2,
      doc: 'Passes for each new fragment: over itself first, then over fragments drawn from the circular buffer.',
      alsoCalled: ['circular_buffer_iterations_per_batch', 'num_sgd_iter', 'num_epochs'],
    }),
    minibatchSize,
    ...scheduleOptions,
    ...actorCriticOptions,
    ...withDefaults(recurrentOptions, { sequenceLength: 20 }),
    ...burnInOptions,
    ...curiosityOptions,
  },
};

export type APPOOptions = typeof appoOptions;
/** APPO's configuration after defaults and checks, by section. */
export type ResolvedAPPOConfig = ResolvedConfig<APPOOptions>;
/** What a user writes: any subset, by section. */
export type APPOConfigInput = ConfigInput<APPOOptions>;

/** What APPO's options must be to each other; the shared ones are checked before. */
export function checkAPPO(config: ResolvedAPPOConfig): readonly Problem[] {
  const { targetUpdateInterval, circularBufferSize, numPasses, fragmentsPerIteration } = config.training;
  const tooLong = ([name, value]: readonly [string, number]) =>
    value <= fragmentsPerIteration
      ? []
      : [
          conflict(
            `${name} (${value}) must not exceed fragmentsPerIteration (${fragmentsPerIteration}), since an iteration begins anew: lower it, or raise fragmentsPerIteration.`,
          ),
        ];
  const drawn =
    numPasses === 1 &&
    circularBufferSize > 1 &&
    circularBufferSize !== appoOptions.training.circularBufferSize.default
      ? [
          conflict(
            `circularBufferSize (${circularBufferSize}) has no effect while numPasses is 1: raise numPasses, or leave it out.`,
          ),
        ]
      : [];
  return [
    ...checkActorLearner(config),
    ...checkMinibatches(config),
    ...checkActorCritic(config),
    ...checkRecurrent(config),
    ...checkSelfPlay(config),
    ...tooLong(['targetUpdateInterval', targetUpdateInterval]),
    ...tooLong(['circularBufferSize', circularBufferSize]),
    ...drawn,
  ];
}
