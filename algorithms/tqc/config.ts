/** TQC's options: SAC's, and the quantiles of its critics. */
import { type ConfigInput, option, type ResolvedConfig } from '../../src/config/option.ts';
import { conflict, type Problem } from '../../src/config/problems.ts';
import { int } from '../../src/config/search-space.ts';
import * as kind from '../../src/config/value-kind.ts';
import { checkSAC, sacOptions } from '../sac/config.ts';

const quantileOptions = {
  numQuantiles: option(kind.integer({ min: 1, max: 1000 }), {
    default: 25,
    onlyAtStart: true,
    doc: 'Quantiles of the return that each critic gives.',
    search: int(5, 50),
    alsoCalled: ['n_quantiles', 'num_quantiles'],
  }),
  numDroppedQuantiles: option(kind.integer({ min: 0, max: 999 }), {
    default: 2,
    doc: 'Largest quantiles of the pooled target that are left out, for each critic: more against overestimation.',
    search: int(0, 4),
    alsoCalled: ['top_quantiles_to_drop_per_net', 'top_quantiles_to_drop'],
  }),
};

export const tqcOptions = { ...sacOptions, training: { ...sacOptions.training, ...quantileOptions } };

export type TQCOptions = typeof tqcOptions;
/** TQC's configuration after defaults and checks, by section. */
export type ResolvedTQCConfig = ResolvedConfig<TQCOptions>;
/** What a user writes: any subset, by section. */
export type TQCConfigInput = ConfigInput<TQCOptions>;

/** What TQC's options must be to each other: what SAC's must be, and the quantiles. */
export function checkTQC(config: ResolvedTQCConfig): readonly Problem[] {
  const { numQuantiles, numDroppedQuantiles } = config.training;
  const problems = [...checkSAC(config, 'tqc')];
  if (numDroppedQuantiles >= numQuantiles) {
    problems.push(
      conflict(
        `numDroppedQuantiles (${numDroppedQuantiles}) must be below numQuantiles (${numQuantiles}): something has to be left of each critic.`,
      ),
    );
  }
  return problems;
}
