/** Rollout workers of an off-policy run. */
import { numEnvRunnersOf } from '../config/derived.ts';
import type { OffPolicyConfig } from './off-policy-config.ts';

/** A fragment of fewer steps is over before worker threads have been woken for it: a round trip takes 20 us, a step often 1. */
const MIN_STEPS_FOR_WORKERS = 64;

/**
 * What was asked for; with `auto` none where the learner waits for a fragment that is short, or of one environment, else as on-policy
 * algorithms have them.
 * Never changes results.
 */
export function numOffPolicyRunners(
  config: Pick<OffPolicyConfig, 'environment' | 'envRunners' | 'training'>,
  numCores?: number,
): number {
  const { envRunners, training } = config;
  const { numEnvs } = envRunners;
  const gainsNothing = numEnvs === 1 || numEnvs * training.trainEvery < MIN_STEPS_FOR_WORKERS;
  if (envRunners.numEnvRunners === 'auto' && training.lag === 0 && gainsNothing) return 0;
  return numEnvRunnersOf(config, numCores);
}
