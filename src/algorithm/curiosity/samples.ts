/** What curiosity reads of a rollout: what each step led to, and its action in numbers. */
import type { RolloutViews } from '../../experience/layout.ts';
import { alternativesOf, type DistributionSpec } from '../../policy/policy-spec.ts';
import { type ActionCode, codeSize } from './model.ts';

/** How a distribution's stored actions are coded: bits are choices of two. */
export function actionCode(distribution: DistributionSpec): ActionCode {
  const alternatives = alternativesOf(distribution);
  return {
    sizes: alternatives.filter((count) => count > 0),
    numNumbers: alternatives.filter((count) => count === 0).length,
  };
}

/** @returns what writes the coded action of flat sample i at `out[offset ..]`: choices one-hot, then the numbers, each in the action's order. */
export function createActionCoder(
  distribution: DistributionSpec,
): (actions: ArrayLike<number>, i: number, out: Float32Array, offset: number) => void {
  const alternatives = alternativesOf(distribution);
  const numElements = alternatives.length;
  const code = actionCode(distribution);
  const size = codeSize(code);
  return (actions, i, out, offset) => {
    out.fill(0, offset, offset + size);
    let choice = offset;
    let number = offset + size - code.numNumbers;
    for (let a = 0; a < numElements; a++) {
      const value = actions[i * numElements + a];
      if (alternatives[a] === 0) out[number++] = value;
      else {
        out[choice + value] = 1;
        choice += alternatives[a];
      }
    }
  };
}

/** The column that holds what sample i = n * T + t led to: the true last observation of an episode, the next one, or the rollout's last. */
export function nextRows(rollout: RolloutViews, i: number): Float32Array | Uint8Array {
  const { rolloutLength, finalSlots, observations, finalObservations, bootstrapObservations } = rollout;
  if (finalSlots[i] >= 0) return finalObservations;
  return i % rolloutLength < rolloutLength - 1 ? observations : bootstrapObservations;
}

/** Its row in {@link nextRows}. */
export function nextRow({ rolloutLength, finalSlots }: RolloutViews, i: number): number {
  if (finalSlots[i] >= 0) return finalSlots[i];
  return i % rolloutLength < rolloutLength - 1 ? i + 1 : Math.floor(i / rolloutLength);
}

/** Copies row `from` of `size` elements to row `to`. */
export function copyRow(
  rows: ArrayLike<number>,
  from: number,
  size: number,
  out: Float32Array | Int32Array | Uint8Array,
  to: number,
): void {
  for (let k = 0; k < size; k++) out[to * size + k] = rows[from * size + k];
}
