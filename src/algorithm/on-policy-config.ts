/** The options that on-policy systems read. */
import type { onPolicyOptions } from '../config/common-options.ts';
import type { ResolvedConfig } from '../config/option.ts';
import type { PolicyOptions } from './policy-setup.ts';

/** The sections and options that an on-policy algorithm's config has. */
export type OnPolicyConfig = ResolvedConfig<typeof onPolicyOptions> & {
  readonly training: Omit<PolicyOptions, 'normalizeObservations' | 'clipObservation'> & AdamConfig;
};

interface AdamConfig {
  readonly maxGradNorm: number | null;
  readonly adamBeta1: number;
  readonly adamBeta2: number;
  readonly adamEpsilon: number;
}
