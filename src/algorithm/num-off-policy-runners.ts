/** Rollout workers of an off-policy run. */
import { numEnvRunnersOf } from '../config/derived.ts';
import type { OffPolicyConfig } from './off-policy-config.ts';

/** A fragment of fewer steps is over before worker threads have been woken for it: a round trip takes 20 us, a step often 1. */
const MIN_STEPS_FOR_WORKERS = 64;

/**
 * What was asked for; with `auto` none where a fragment is short and the learner waits for it, else as on-policy algorithms have them.
 * Never changes results.
 */
export function numOffPolicyRunners(
  config: Pick<OffPolicyConfig, 'environment' | 'envRunners' | 'training'>,
  numCores?: number,
): number {
  const { envRunners, training } = config;
  const isShort = training.lag === 0 && envRunners.numEnvs * training.trainEvery < MIN_STEPS_FOR_WORKERS;
  if (envRunners.numEnvRunners === 'auto' && isShort) return 0;
  return numEnvRunnersOf(config, numCores);
}
