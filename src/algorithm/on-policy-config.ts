/** The options that on-policy systems read. */
import type { onPolicyOptions } from '../config/common-options.ts';
import type { ResolvedConfig } from '../config/option.ts';
import type { PolicyOptions } from './policy-setup.ts';

/** The sections and options that an on-policy algorithm's config has. */
export type OnPolicyConfig = ResolvedConfig<typeof onPolicyOptions> & {
  readonly training: Omit<PolicyOptions, 'normalizeObservations' | 'clipObservation'> &
    OptimizerConfig & { readonly sequenceLength?: number; readonly burnIn?: number };
};

/** Also of an algorithm whose workers have no time to help the learner. */
export type LooseOnPolicyConfig = Omit<OnPolicyConfig, 'learners'> & {
  readonly learners: Omit<OnPolicyConfig['learners'], 'numLearnerThreads'>;
};

interface OptimizerConfig {
  readonly maxGradNorm: number | null;
  readonly adamBeta1: number;
  readonly adamBeta2: number;
  readonly adamEpsilon: number;
  /** Absent: Adam. */
  readonly optimizer?: 'adam' | 'rmsprop';
  readonly rmspropDecay?: number;
  readonly rmspropEpsilon?: number;
}

/** Adam's numbers; of RMSProp, which is Adam without a first moment and without corrections. */
export interface Moments {
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  readonly correctsBias: boolean;
}

export function momentsOf({ training }: Pick<OnPolicyConfig, 'training'>): Moments {
  const { adamBeta1, adamBeta2, adamEpsilon, optimizer, rmspropDecay, rmspropEpsilon } = training;
  if (optimizer !== 'rmsprop' || rmspropDecay === undefined || rmspropEpsilon === undefined)
    return { beta1: adamBeta1, beta2: adamBeta2, epsilon: adamEpsilon, correctsBias: true };
  return { beta1: 0, beta2: rmspropDecay, epsilon: rmspropEpsilon, correctsBias: false };
}

/** Only of a recurrent policy: gradients flow through so many steps, and so many before them warm the state. */
export function sequencesOf({ training }: Pick<OnPolicyConfig, 'training'>): {
  readonly sequenceLength?: number;
  readonly burnIn?: number;
} {
  const { recurrent = null, sequenceLength, burnIn = 0 } = training;
  return recurrent === null || sequenceLength === undefined ? {} : { sequenceLength, burnIn };
}
