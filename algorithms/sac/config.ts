/** SAC's options: the shared sections and its own `training`. */

import { policiesOptions } from '../../src/config/blocks/multi-agent.ts';
import { checkNetwork } from '../../src/config/blocks/network.ts';
import { offPolicyActorCriticOptions } from '../../src/config/blocks/off-policy-actor-critic.ts';
import { checkBatches, checkSequencesEngine } from '../../src/config/blocks/replayed-sequences.ts';
import { checkSelfPlay, selfPlayOptions } from '../../src/config/blocks/self-play.ts';
import { offPolicyOptions } from '../../src/config/common-options.ts';
import { type ConfigInput, option, type ResolvedConfig } from '../../src/config/option.ts';
import { conflict, type Problem } from '../../src/config/problems.ts';
import * as kind from '../../src/config/value-kind.ts';

/** The weight of the entropy. */
const temperatureOptions = {
  temperature: option(kind.orAuto(kind.number({ min: 0 })), {
    default: 'auto',
    doc: 'Weight of the entropy in the return; auto = learnt, so that the entropy comes to targetEntropy.',
    alsoCalled: ['ent_coef', 'alpha', 'entropyCoeff', 'entropy_coeff'],
  }),
  initialTemperature: option(kind.number({ above: 0 }), {
    default: 1,
    onlyAtStart: true,
    doc: 'Where a learnt temperature begins.',
    needs: { option: 'temperature', values: ['auto'] },
    alsoCalled: ['initial_alpha'],
  }),
  temperatureLearningRate: option(kind.nullable(kind.schedule({ min: 0 })), {
    default: null,
    doc: "Adam's step size for the logarithm of a learnt temperature; null = the actor's.",
    needs: { option: 'temperature', values: ['auto'] },
    alsoCalled: ['alpha_lr', 'entropy_learning_rate'],
  }),
};

/** In [-1, 1] units, which a choice among actions has not. */
const targetEntropyOptions = {
  targetEntropy: option(kind.orAuto(kind.number()), {
    default: 'auto',
    unit: 'nats',
    doc: 'Entropy, in [-1, 1] units, to which a learnt temperature leads; auto = minus the number of action elements.',
    needs: { option: 'temperature', values: ['auto'] },
    alsoCalled: ['target_entropy'],
  }),
};

/** State-dependent exploration (Raffin et al. 2021, arXiv:2005.05719). */
const gsdeOptions = {
  useGsde: option(kind.boolean(), {
    default: false,
    shapesCheckpoint: true,
    doc: 'Generalized state-dependent exploration: noise that stays the same function of the state for a while; simd engine.',
    needs: { option: 'network', values: ['mlp'] },
    alsoCalled: ['use_sde', 'useSde'],
  }),
  gsdeSampleFrequency: option(kind.integer({ min: -1 }), {
    default: -1,
    unit: 'steps',
    shapesCheckpoint: true,
    doc: 'Draw new gSDE noise every this many steps of an episode; -1 = once an episode. 0 is not allowed.',
    needs: { option: 'useGsde', values: [true] },
    alsoCalled: ['sde_sample_freq'],
  }),
  logStdInit: option(kind.number({ min: -20, max: 5 }), {
    default: -3,
    doc: "Initial logarithm of gSDE's standard deviations.",
    onlyAtStart: true,
    needs: { option: 'useGsde', values: [true] },
    alsoCalled: ['log_std_init'],
  }),
};

/** gSDE takes its noise from the actor's last hidden layer. */
function checkGsde({
  training: { useGsde, gsdeSampleFrequency, hiddenSizes },
}: {
  readonly training: {
    readonly useGsde: boolean;
    readonly gsdeSampleFrequency: number;
    readonly hiddenSizes: readonly number[];
  };
}): readonly Problem[] {
  const problems: Problem[] = [];
  if (gsdeSampleFrequency === 0)
    problems.push(conflict('gsdeSampleFrequency (0) must be -1 (new noise once an episode) or at least 1.'));
  if (useGsde && hiddenSizes.length === 0)
    problems.push(
      conflict('useGsde takes its noise from the last hidden layer, and hiddenSizes is empty: give it one.'),
    );
  return problems;
}

/** Whatever the actions are; discrete SAC's, too. */
export const softActorCriticOptions = {
  ...offPolicyOptions,
  multiAgent: policiesOptions,
  selfPlay: selfPlayOptions,
  training: { ...offPolicyActorCriticOptions, ...temperatureOptions },
};

export type SoftActorCriticConfig = ResolvedConfig<typeof softActorCriticOptions>;

export const sacOptions = {
  ...softActorCriticOptions,
  training: { ...softActorCriticOptions.training, ...targetEntropyOptions, ...gsdeOptions },
};

export type SACOptions = typeof sacOptions;
/** SAC's configuration after defaults and checks, by section. */
export type ResolvedSACConfig = ResolvedConfig<SACOptions>;
/** What a user writes: any subset, by section. */
export type SACConfigInput = ConfigInput<SACOptions>;

/** What SAC's options must be to each other; the shared ones are checked before. @param algorithm for messages: TQC has them, too. */
export function checkSAC(config: ResolvedSACConfig, algorithm = 'sac'): readonly Problem[] {
  return [
    ...checkGsde(config),
    ...checkBatches(config, config.training.useGsde ? ['useGsde'] : []),
    ...checkSequencesEngine(config, algorithm),
    ...checkNetwork(config),
    ...checkSelfPlay(config),
  ];
}
