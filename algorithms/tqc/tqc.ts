/** Truncated quantile critics (Kuznetsov et al. 2020, arXiv:2005.04269): SAC's loop with critics and losses of its own. */
import type { Algorithm } from '../../src/algorithm/algorithm.ts';
import { continuousVariant, createSoftActorCritic, type SoftActorCriticVariant } from '../sac/sac.ts';
import type { ResolvedTQCConfig } from './config.ts';

const IS_SOURCE = import.meta.url.endsWith('.ts');
const GRADIENT = new URL(IS_SOURCE ? './gradient.ts' : './gradient.js', import.meta.url).href;

/**
 * Starts TQC: SAC whose critics give quantiles of the return. Of SAC's round, in `../sac/sac.ts`, two lines are others:
 *
 *         critics         every quantile towards those of all targets together, without the largest ones
 *         actor           up the mean of all quantiles, with an entropy bonus
 *
 * @throws ConfigError when environment, networks, memory and options do not fit together.
 */
export async function createTQC(config: ResolvedTQCConfig): Promise<Algorithm> {
  return createSoftActorCritic(config, tqcVariant(config));
}

export function tqcVariant(config: ResolvedTQCConfig): SoftActorCriticVariant {
  const { numQuantiles, numDroppedQuantiles } = config.training;
  const options = { numDropped: numDroppedQuantiles };
  return continuousVariant(config, {
    name: 'tqc',
    criticOutputs: numQuantiles,
    closedForm: { module: GRADIENT, export: 'createTqcGradient', options },
    losses: async (model) => (await import('./loss.ts')).createTqcLoss(model, options),
  });
}
