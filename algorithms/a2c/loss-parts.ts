/** The policy gradient's loss for each engine: where the closed form lies, and the tfjs operations. */
import type { LossParts } from '../../src/algorithm/create-learner.ts';
import type { PolicyGradientOptions } from './loss.ts';

const IS_SOURCE = import.meta.url.endsWith('.ts');

export function policyGradientParts({ valueCoeff }: PolicyGradientOptions): LossParts {
  return {
    outputGradient: {
      module: new URL(IS_SOURCE ? './gradient.ts' : './gradient.js', import.meta.url).href,
      export: 'createOutputGradient',
      options: { valueCoeff },
    },
    async tensorLoss(spec) {
      const { policyGradientLoss } = await import('./loss.ts');
      return (tf, outputs, batch, scalars) =>
        policyGradientLoss(tf, spec, outputs, batch, scalars, { valueCoeff });
    },
  };
}
