/** A minibatch out of a rollout. */

import type { RolloutViews } from '../../src/experience/layout.ts';
import { type ActingSpec, actionSize } from '../../src/policy/policy-spec.ts';

/**
 * Copies samples into the columns `observations`, `actions` and `returns`.
 *
 * @param indices flat, i = n * T + t; i32 [B].
 */
export function gatherMinibatch(
  { observations, actions, returns }: RolloutViews,
  { observationSize: size, distribution }: ActingSpec,
  indices: Int32Array,
  columns: Readonly<Record<string, Float32Array | Int32Array | Uint8Array>>,
): void {
  const A = actionSize(distribution);
  const { observations: toObservations, actions: toActions, returns: toReturns } = columns;
  for (let b = 0; b < indices.length; b++) {
    const i = indices[b];
    for (let k = 0; k < size; k++) toObservations[b * size + k] = observations[i * size + k];
    for (let a = 0; a < A; a++) toActions[b * A + a] = actions[i * A + a];
    toReturns[b] = returns[i];
  }
}
