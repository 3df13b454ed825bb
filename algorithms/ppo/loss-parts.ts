/** PPO's loss for each engine: where the closed form lies, and the tfjs operations. */
import type { LossParts } from '../../src/algorithm/create-learner.ts';
import type { ResolvedPPOConfig } from './config.ts';
import type { PpoLossOptions } from './loss.ts';

const IS_SOURCE = import.meta.url.endsWith('.ts');

type LossTraining = Pick<
  ResolvedPPOConfig['training'],
  'valueCoeff' | 'valueLoss' | 'valueClipRange' | 'valueErrorBound' | 'klPenaltyCoeff'
>;

export function ppoLossParts(training: LossTraining): LossParts {
  const options: PpoLossOptions = {
    valueCoeff: training.valueCoeff,
    valueLoss: training.valueLoss,
    clipValues: training.valueClipRange !== null,
    valueErrorBound: training.valueErrorBound,
    penalizeKl: training.klPenaltyCoeff > 0,
  };
  return {
    outputGradient: {
      module: new URL(IS_SOURCE ? './gradient.ts' : './gradient.js', import.meta.url).href,
      export: 'createOutputGradient',
      options: { ...options },
    },
    async tensorLoss(spec) {
      const { ppoLoss } = await import('./loss.ts');
      return (tf, outputs, batch, scalars) => ppoLoss(tf, spec, outputs, batch, scalars, options);
    },
  };
}
