/** What decides which units dropout drops: a seed for each row of every batch, from a stream of the main thread. */
import type { StatePart } from '../checkpoint/state-part.ts';
import { DROPOUT_SEEDS, fillDropoutSeeds } from '../learner/dropout.ts';
import type { ObjectiveBatch } from '../learner/objective-learner.ts';
import type { OffPolicySystem } from './off-policy-system.ts';
import { streamState } from './own-state.ts';
import { policyStream, stateName } from './policy-names.ts';

export interface DropoutSeeds {
  /** Draws the batch's seeds, where its objective has dropout; else nothing. */
  fill(batch: ObjectiveBatch): void;
  readonly state: readonly StatePart[];
}

/** @param policy whose seeds they are; the only one's where there is one agent. */
export function createDropout(
  { learner }: Pick<OffPolicySystem, 'learner'>,
  seed: number,
  policy: string,
): DropoutSeeds {
  if (!learner.objective.columns.some(({ name }) => name === DROPOUT_SEEDS))
    return { fill: () => undefined, state: [] };
  const stream = policyStream(seed, 'dropout', policy);
  return {
    fill: (batch) => fillDropoutSeeds(stream, batch),
    state: [streamState(stateName(policy, 'dropout'), stream)],
  };
}
