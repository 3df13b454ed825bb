/** PPO's options: the shared sections and its own `training`. */
import { actorCriticOptions, checkActorCritic } from '../../src/config/blocks/actor-critic.ts';
import { adamOptions } from '../../src/config/blocks/adam.ts';
import { curiosityOptions } from '../../src/config/blocks/curiosity.ts';
import { checkMinibatches, minibatchOptions } from '../../src/config/blocks/minibatches.ts';
import { multiAgentOptions } from '../../src/config/blocks/multi-agent.ts';
import {
  burnInOptions,
  checkRecurrent,
  recomputeOptions,
  recurrentOrAttentionOptions,
} from '../../src/config/blocks/recurrent.ts';
import { discountOptions, gaeOptions } from '../../src/config/blocks/returns.ts';
import { scheduleOptions } from '../../src/config/blocks/schedules.ts';
import { checkSelfPlay, selfPlayOptions } from '../../src/config/blocks/self-play.ts';
import { onPolicyOptions } from '../../src/config/common-options.ts';
import { type ConfigInput, option, type ResolvedConfig, withDefaults } from '../../src/config/option.ts';
import { conflict, type Problem } from '../../src/config/problems.ts';
import { choice, logUniform, uniform } from '../../src/config/search-space.ts';
import * as kind from '../../src/config/value-kind.ts';

/** The loss. */
const lossOptions = {
  clipRange: option(kind.schedule({ min: 0, max: 1 }), {
    default: 0.2,
    doc: 'Clip range of the probability ratio: 0.2 keeps it in [0.8, 1.2].',
    search: choice([0.1, 0.2, 0.3, 0.4]),
    alsoCalled: ['clip_param', 'clipParam', 'clip_coef', 'clip_range', 'epsilon'],
  }),
  valueClipRange: option(kind.nullable(kind.number({ above: 0 })), {
    default: null,
    unit: 'return',
    doc: 'Clip range of the change of a value; null = off.',
    alsoCalled: ['clip_range_vf'],
  }),
  valueErrorBound: option(kind.nullable(kind.number({ above: 0 })), {
    default: null,
    unit: 'return^2',
    doc: "Bound of a sample's value loss: one beyond it counts as the bound and has no gradient; null = off.",
    alsoCalled: ['vf_clip_param'],
  }),
  valueLoss: option(kind.choice(['mse', 'huber']), {
    default: 'mse',
    doc: 'Loss of the value head; huber has delta 1.',
  }),
  valueCoeff: option(kind.number({ min: 0 }), {
    default: 0.5,
    doc: 'Weight of the value loss.',
    search: uniform(0.1, 1),
    alsoCalled: ['vf_loss_coeff', 'vf_coef', 'valueCoef'],
  }),
  entropyCoeff: option(kind.schedule({ min: 0 }), {
    default: 0,
    doc: 'Weight of the entropy bonus.',
    search: logUniform(1e-8, 0.1),
    alsoCalled: ['entropy_coeff', 'ent_coef', 'entropyCoef'],
  }),
  normalizeAdvantages: option(kind.boolean(), {
    default: true,
    doc: 'Shift and scale advantages to mean 0, deviation 1 in every minibatch.',
    alsoCalled: ['normalizeAdvantage', 'normAdv'],
  }),
  targetKl: option(kind.nullable(kind.number({ above: 0 })), {
    default: null,
    unit: 'nats',
    doc: 'Skip the remaining epochs when the mean approxKl of one exceeds 1.5 * targetKl; null = never.',
    alsoCalled: ['target_kl'],
  }),
  klPenaltyCoeff: option(kind.number({ min: 0 }), {
    default: 0,
    doc: 'Initial weight of a penalty on the divergence from the acting policy; 0 = none.',
    alsoCalled: ['kl_coeff'],
  }),
  klPenaltyTarget: option(kind.nullable(kind.number({ above: 0 })), {
    default: null,
    unit: 'nats',
    doc: 'Divergence to which klPenaltyCoeff adapts: x 1.5 after an update of over twice it, x 0.5 below half; null = constant.',
    alsoCalled: ['kl_target'],
  }),
};

export const ppoOptions = {
  ...onPolicyOptions,
  multiAgent: multiAgentOptions,
  selfPlay: selfPlayOptions,
  training: {
    ...withDefaults(adamOptions, { maxGradNorm: 0.5, adamEpsilon: 1e-5 }),
    ...discountOptions,
    ...gaeOptions,
    ...lossOptions,
    ...minibatchOptions,
    ...scheduleOptions,
    ...actorCriticOptions,
    ...recurrentOrAttentionOptions,
    ...burnInOptions,
    ...recomputeOptions,
    ...curiosityOptions,
  },
};

export type PPOOptions = typeof ppoOptions;
/** PPO's configuration after defaults and checks, by section. */
export type ResolvedPPOConfig = ResolvedConfig<PPOOptions>;
/** What a user writes: any subset, by section. */
export type PPOConfigInput = ConfigInput<PPOOptions>;

/** What PPO's options must be to each other; the shared ones are checked before. */
export function checkPPO(config: ResolvedPPOConfig): readonly Problem[] {
  const { klPenaltyCoeff, klPenaltyTarget, recomputeStates, numEpochs, burnIn, minibatchSize } =
    config.training;
  const { numEnvs, rolloutLength } = config.envRunners;
  const problems = [
    ...checkMinibatches(config),
    ...checkActorCritic(config),
    ...checkRecurrent(config),
    ...checkSelfPlay(config),
  ];
  if (recomputeStates && numEpochs === 1) {
    problems.push(
      conflict(
        'recomputeStates has no effect while numEpochs is 1: raise numEpochs, or leave recomputeStates out.',
      ),
    );
  }
  if (burnIn > 0 && numEpochs === 1 && minibatchSize === numEnvs * rolloutLength) {
    problems.push(
      conflict(
        `burnIn (${burnIn}) has no effect while numEpochs is 1 and the rollout one minibatch (${minibatchSize}): it is learnt by the ` +
          'weights that collected it. Raise numEpochs, lower minibatchSize, or leave burnIn out.',
      ),
    );
  }
  if (klPenaltyTarget !== null && klPenaltyCoeff === 0) {
    problems.push(
      conflict(
        `klPenaltyTarget (${klPenaltyTarget}) needs a penalty to adapt, but klPenaltyCoeff is 0: set klPenaltyCoeff ` +
          '(RLlib begins with 0.2), or leave klPenaltyTarget out.',
      ),
    );
  }
  return problems;
}
