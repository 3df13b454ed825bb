/** Discrete SAC's options: what SAC's two forms share, and how its target entropy is said. */
import { checkNetwork } from '../../src/config/blocks/network.ts';
import { checkBatches, checkSequencesEngine } from '../../src/config/blocks/replayed-sequences.ts';
import { checkSelfPlay } from '../../src/config/blocks/self-play.ts';
import { type ConfigInput, option, type ResolvedConfig } from '../../src/config/option.ts';
import type { Problem } from '../../src/config/problems.ts';
import * as kind from '../../src/config/value-kind.ts';
import { softActorCriticOptions } from '../sac/config.ts';

const entropyOptions = {
  targetEntropyScale: option(kind.schedule({ min: 0, max: 1 }), {
    default: 0.5,
    doc: 'Entropy to which a learnt temperature leads, as a share of log(number of actions), that of uniform choice. 0.98, as published for Atari, is nearly uniform choice for good.',
    needs: { option: 'temperature', values: ['auto'] },
    alsoCalled: ['target_entropy_scale', 'target_entropy', 'targetEntropy', 'target_entropy_weight'],
  }),
};

export const sacDiscreteOptions = {
  ...softActorCriticOptions,
  training: { ...softActorCriticOptions.training, ...entropyOptions },
};

export type SACDiscreteOptions = typeof sacDiscreteOptions;
/** Discrete SAC's configuration after defaults and checks, by section. */
export type ResolvedSACDiscreteConfig = ResolvedConfig<SACDiscreteOptions>;
/** What a user writes: any subset, by section. */
export type SACDiscreteConfigInput = ConfigInput<SACDiscreteOptions>;

/** The shared checks alone. */
export function checkSACDiscrete(config: ResolvedSACDiscreteConfig): readonly Problem[] {
  return [
    ...checkBatches(config, []),
    ...checkSequencesEngine(config, 'sac-discrete'),
    ...checkNetwork(config),
    ...checkSelfPlay(config),
  ];
}
