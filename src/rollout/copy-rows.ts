/** Rows of one block set into another of the same layout. */
import type { RolloutViews } from '../experience/layout.ts';

/**
 * Copies all that runners write of rows [first, first + count) to rows [to, to + count) of another rollout; slots of final observations
 * follow their rows.
 *
 * Cost: a copy of the rows. Thread: the caller owns both.
 */
export function copyRows(
  from: RolloutViews,
  first: number,
  count: number,
  into: RolloutViews,
  to: number,
): void {
  copy(from.observations, into.observations, from.numRows, first, count, to);
  copy(from.actions, into.actions, from.numRows, first, count, to);
  copy(from.logProbs, into.logProbs, from.numRows, first, count, to);
  copy(from.values, into.values, from.numRows, first, count, to);
  copy(from.rewards, into.rewards, from.numRows, first, count, to);
  copy(from.terminated, into.terminated, from.numRows, first, count, to);
  copy(from.truncated, into.truncated, from.numRows, first, count, to);
  copy(from.finalValues, into.finalValues, from.numRows, first, count, to);
  copy(from.episodeReturns, into.episodeReturns, from.numRows, first, count, to);
  copy(from.episodeLengths, into.episodeLengths, from.numRows, first, count, to);
  copy(from.actionMasks, into.actionMasks, from.numRows, first, count, to);
  copy(from.bootstrapObservations, into.bootstrapObservations, from.numRows, first, count, to);
  copy(from.bootstrapMasks, into.bootstrapMasks, from.numRows, first, count, to);
  copy(from.bootstrapValues, into.bootstrapValues, from.numRows, first, count, to);
  copy(from.policyVersions, into.policyVersions, from.numRows, first, count, to);
  copy(from.finalSlots, into.finalSlots, from.numRows, first, count, to);
  copy(from.finalObservations, into.finalObservations, from.numRows, first, count, to);
  copy(from.recurrentStates, into.recurrentStates, from.numRows, first, count, to);
  copy(from.lastRecurrentStates, into.lastRecurrentStates, from.numRows, first, count, to);
  const T = from.rolloutLength;
  const { finalSlots } = into;
  if (finalSlots.length === 0) return;
  for (let i = to * T; i < (to + count) * T; i++) if (finalSlots[i] >= 0) finalSlots[i] += (to - first) * T;
}

type Column = Float32Array | Float64Array | Int32Array | Uint8Array;

/** A column is contiguous by row. */
function copy(from: Column, into: Column, numRows: number, first: number, count: number, to: number): void {
  const size = from.length / numRows;
  into.set(from.subarray(first * size, (first + count) * size), to * size);
}
