/** The options that on-policy systems read. */
import type { onPolicyOptions } from '../config/common-options.ts';
import type { ResolvedConfig } from '../config/option.ts';
import type { PolicyOptions } from './policy-setup.ts';

/** The sections and options that an on-policy algorithm's config has. */
export type OnPolicyConfig = ResolvedConfig<typeof onPolicyOptions> & {
  readonly training: Omit<PolicyOptions, 'normalizeObservations' | 'clipObservation'> &
    AdamConfig & { readonly sequenceLength?: number };
};

/** Also of an algorithm whose workers have no time to help the learner. */
export type LooseOnPolicyConfig = Omit<OnPolicyConfig, 'learners'> & {
  readonly learners: Omit<OnPolicyConfig['learners'], 'numLearnerThreads'>;
};

interface AdamConfig {
  readonly maxGradNorm: number | null;
  readonly adamBeta1: number;
  readonly adamBeta2: number;
  readonly adamEpsilon: number;
}

/** Only of a recurrent policy: gradients flow through so many steps. */
export function sequencesOf({ training }: Pick<OnPolicyConfig, 'training'>): {
  readonly sequenceLength?: number;
} {
  const { recurrent = null, sequenceLength } = training;
  return recurrent === null || sequenceLength === undefined ? {} : { sequenceLength };
}
