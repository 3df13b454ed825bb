/** PPO's output gradient. A bundle has no URL for its module, so that every thread makes one from here. */
import { createOutputGradient } from '../../../algorithms/ppo/gradient.ts';
import type { OutputGradient, OutputGradientSource } from '../../../src/learner/output-gradient.ts';
import type { PolicySpec } from '../../../src/policy/policy-spec.ts';
import { settings } from './settings.ts';

const { valueCoeff, valueLoss, valueClipRange } = settings.training;

/** What the learner's options name; for messages alone, since every thread is given what {@link createGradient} makes. */
export const gradientSource: OutputGradientSource = {
  module: 'algorithms/ppo/gradient.ts',
  export: 'createOutputGradient',
  options: { valueCoeff, valueLoss, clipValues: valueClipRange !== null },
};

export function createGradient(spec: PolicySpec): OutputGradient {
  return createOutputGradient(spec, gradientSource.options);
}
