/** Minibatches out of a rollout. */

import type { RolloutViews } from '../../src/experience/layout.ts';
import { type ActingSpec, actionSize } from '../../src/policy/policy-spec.ts';

/** What a rollout is cut into, and how many of these make a minibatch. */
export interface Minibatches {
  /** Steps, or sequences, of a rollout. */
  readonly numItems: number;
  readonly perBatch: number;
  /** 1, or a sequence's length. */
  readonly stepsPerItem: number;
  /** @param items their numbers, i32. */
  fill(
    rollout: RolloutViews,
    items: Int32Array,
    columns: Readonly<Record<string, Float32Array | Int32Array | Uint8Array>>,
  ): void;
}

export function minibatchesOfSteps(spec: ActingSpec, numItems: number, perBatch: number): Minibatches {
  return {
    ...{ numItems, perBatch, stepsPerItem: 1 },
    fill: (rollout, items, columns) => gatherMinibatch(rollout, spec, items, columns),
  };
}

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

/** [first item, minibatches, their items]: as many whole ones as there are, then what is left. */
export function portions(
  numItems: number,
  size: number,
): readonly (readonly [first: number, numMinibatches: number, size: number])[] {
  const numWhole = Math.floor(numItems / size);
  const rest = numItems - numWhole * size;
  const parts = [[0, numWhole, size] as const, [numWhole * size, 1, rest] as const];
  return parts.filter(([, numMinibatches, count]) => numMinibatches > 0 && count > 0);
}
