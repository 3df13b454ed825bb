/** From an algorithm's options and an environment to what is kept of it, and how goals are relabelled. */
import { goalLayout } from '../replay/goal.ts';
import type { GoalStrategy } from '../replay/hindsight.ts';
import type { EnvDescription } from './environment-source.ts';
import type { OffPolicyParts } from './off-policy-system.ts';
import { numSequenceRows, type SequenceShape } from './sequence-rows.ts';

/** The options that it reads. */
export interface ReplayPartsOptions {
  readonly replayCapacity: number;
  readonly replayBytes: number | null;
  readonly hindsight: 'none' | GoalStrategy;
  readonly hindsightGoals: number;
}

/**
 * Frames that a wrapper stacked are stored once each; goals are found in the observation.
 *
 * @throws ConfigError `CONFIG_GOAL` for hindsight in an environment without goals.
 */
export function replayParts(
  { observationSpace, frameStack }: EnvDescription,
  { replayCapacity, replayBytes, hindsight, hindsightGoals }: ReplayPartsOptions,
): Pick<OffPolicyParts, 'replay' | 'hindsight'> {
  const size = { capacity: replayCapacity, ...(replayBytes !== null && { bytes: replayBytes }) };
  if (hindsight === 'none') return { replay: { ...size, ...(frameStack !== null && { frameStack }) } };
  const goal = goalLayout(observationSpace);
  return { replay: { ...size, goal }, hindsight: { strategy: hindsight, numGoals: hindsightGoals } };
}

/** The same, and the rows of a batch where it holds sequences. */
export function batchParts(
  env: EnvDescription,
  training: ReplayPartsOptions & SequenceShape & { readonly recurrent: string | null },
): Pick<OffPolicyParts, 'replay' | 'hindsight' | 'batchSize'> {
  const parts = replayParts(env, training);
  return training.recurrent === null ? parts : { ...parts, batchSize: numSequenceRows(training) };
}
