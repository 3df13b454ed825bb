/** What of a rollout one policy learns from. */
import type { GroupViews } from '../../rollout/agents/agents-layout.ts';
import { RowField } from '../../rollout/agents/agents-layout.ts';
import type { ObservedRows } from '../../statistics/running-moments.ts';
import { computeGaeWithHoles, type DiscountBy, type RolloutWithHoles } from '../../targets/gae-with-holes.ts';

/** Flat indices of the steps that policy `index` took, in the order (row, t). i32 */
export function samplesOf({ acted, policies }: GroupViews, index: number): Int32Array {
  let count = 0;
  for (let i = 0; i < acted.length; i++) if (acted[i] === 1 && policies[i] === index) count += 1;
  const samples = new Int32Array(count);
  let k = 0;
  for (let i = 0; i < acted.length; i++) if (acted[i] === 1 && policies[i] === index) samples[k++] = i;
  return samples;
}

/** Versions of the weights that collected the fragments of these samples; a step that was open at a fragment's end counts with the next one. i32 */
export function versionsOf({ rollout }: GroupViews, samples: Int32Array): Int32Array {
  const { policyVersions, rolloutLength } = rollout;
  return samples.map((i) => policyVersions[Math.floor(i / rolloutLength)]);
}

/** Fills `advantages` and `returns` of a group. */
export function computeAdvantages(
  group: GroupViews,
  options: { readonly gamma: number; readonly gaeLambda: number; readonly discountBy: DiscountBy },
): void {
  const asTheyAre = { rewardScale: 1, clipReward: Number.POSITIVE_INFINITY };
  computeGaeWithHoles(stepsWithHoles(group), { ...options, ...asTheyAre });
}

/** A group's steps as targets are made of them; every view is of the group's own memory but `nextTicks`. */
export function stepsWithHoles({
  rollout,
  acted,
  ticks,
  finalTicks,
  rowStates,
}: GroupViews): RolloutWithHoles {
  const { numRows, rolloutLength } = rollout;
  const nextTicks = new Int32Array(numRows);
  for (let n = 0; n < numRows; n++) nextTicks[n] = rowStates[n * RowField.COUNT + RowField.NEXT_TICK];
  const { rewards, values, terminated, truncated, finalValues, bootstrapValues, advantages, returns } =
    rollout;
  return {
    ...{ numRows, rolloutLength, acted, ticks, finalTicks, nextTicks },
    ...{ rewards, values, terminated, truncated, finalValues, bootstrapValues, advantages, returns },
  };
}

/**
 * The samples' rows one after the other, for running statistics.
 *
 * @param column [N, C, size]: observations, or what a central critic reads.
 */
export function observedBy(
  { rollout }: GroupViews,
  column: Float32Array | Uint8Array,
  samples: Int32Array,
): ObservedRows {
  const size = column.length / (rollout.numRows * rollout.rolloutLength);
  const observations = new Float32Array(samples.length * size); // [samples, size] f32
  for (let k = 0; k < samples.length; k++)
    for (let j = 0; j < size; j++) observations[k * size + j] = column[samples[k] * size + j];
  return { observations, numRows: samples.length, rolloutLength: 1 };
}

/** As `explainedVariance`, over the samples alone. null where the returns do not vary. */
export function explainedBy(
  { rollout: { returns, values } }: GroupViews,
  samples: Int32Array,
): number | null {
  const squares = squaresOf(samples, returns, null);
  return squares <= 0 ? null : 1 - squaresOf(samples, returns, values) / squares;
}

/** Sum of the squared differences from the mean of `column` less `other`, which is taken from the first one on: less is lost to rounding. */
function squaresOf(samples: Int32Array, column: Float32Array, other: Float32Array | null): number {
  const { length } = samples;
  const at = (i: number) => (other === null ? column[i] : column[i] - other[i]);
  const first = length === 0 ? 0 : at(samples[0]);
  let sum = 0;
  for (let k = 0; k < length; k++) sum += at(samples[k]) - first;
  const mean = sum / length;
  let squares = 0;
  for (let k = 0; k < length; k++) squares += (at(samples[k]) - first - mean) ** 2;
  return squares;
}
