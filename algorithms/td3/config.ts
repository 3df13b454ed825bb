/** TD3's options: the shared sections and its own `training`. DDPG is numCritics 1, policyDelay 1, targetNoise 0. */

import { policiesOptions } from '../../src/config/blocks/multi-agent.ts';
import { checkNetwork } from '../../src/config/blocks/network.ts';
import { offPolicyActorCriticOptions } from '../../src/config/blocks/off-policy-actor-critic.ts';
import { checkBatches, checkSequencesEngine } from '../../src/config/blocks/replayed-sequences.ts';
import { checkSelfPlay, selfPlayOptions } from '../../src/config/blocks/self-play.ts';
import { offPolicyOptions } from '../../src/config/common-options.ts';
import { type ConfigInput, option, type ResolvedConfig, withDefaults } from '../../src/config/option.ts';
import type { Problem } from '../../src/config/problems.ts';
import { choice, uniform } from '../../src/config/search-space.ts';
import * as kind from '../../src/config/value-kind.ts';

/** All in units of an action in [-1, 1]. */
const noiseOptions = {
  explorationNoise: option(kind.schedule({ min: 0 }), {
    default: 0.1,
    doc: 'Standard deviation of the noise on actions while it explores; actions are in [-1, 1] here.',
    search: uniform(0, 0.5),
    alsoCalled: ['exploration_noise', 'action_noise', 'act_noise', 'noise_std'],
  }),
  noiseProcess: option(kind.choice(['gaussian', 'ornstein-uhlenbeck']), {
    default: 'gaussian',
    onlyAtStart: true,
    doc: 'Independent noise, or noise that drifts over an episode (theta 0.15), for tasks that need a push in one direction.',
    search: choice(['gaussian', 'ornstein-uhlenbeck']),
  }),
  targetNoise: option(kind.number({ min: 0 }), {
    default: 0.2,
    doc: "Standard deviation of the noise on the target's action; 0 = none.",
    alsoCalled: ['target_policy_noise', 'policy_noise', 'target_noise'],
  }),
  targetNoiseClip: option(kind.number({ min: 0 }), {
    default: 0.5,
    doc: 'Bound of that noise, +-.',
    alsoCalled: ['target_noise_clip', 'noise_clip'],
  }),
};

export const td3Options = {
  ...offPolicyOptions,
  multiAgent: policiesOptions,
  selfPlay: selfPlayOptions,
  training: {
    ...withDefaults(offPolicyActorCriticOptions, { policyDelay: 2 }),
    ...noiseOptions,
  },
};

export type TD3Options = typeof td3Options;
/** TD3's configuration after defaults and checks, by section. */
export type ResolvedTD3Config = ResolvedConfig<TD3Options>;
/** What a user writes: any subset, by section. */
export type TD3ConfigInput = ConfigInput<TD3Options>;

/** What TD3's options must be to each other; the shared ones are checked before. */
export function checkTD3(config: ResolvedTD3Config): readonly Problem[] {
  return [
    ...checkBatches(config, []),
    ...checkSequencesEngine(config, 'td3'),
    ...checkNetwork(config),
    ...checkSelfPlay(config),
  ];
}
