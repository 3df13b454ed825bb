/** What curiosity reads of a rollout: what each step led to, and its action in numbers. */
import type { RolloutViews } from '../../experience/layout.ts';
import { actionSize, type DistributionSpec } from '../../policy/policy-spec.ts';
import { type ActionCode, codeSize } from './model.ts';

/** How a distribution's stored actions are coded. */
export function actionCode(distribution: DistributionSpec): ActionCode {
  if (distribution.kind === 'categorical') return { sizes: distribution.sizes, numNumbers: 0 };
  return { sizes: [], numNumbers: actionSize(distribution) };
}

/** Writes the coded action of flat sample i at `out[offset ..]`. */
export function writeAction(
  actions: ArrayLike<number>,
  i: number,
  code: ActionCode,
  out: Float32Array,
  offset: number,
): void {
  const { sizes, numNumbers } = code;
  const numElements = sizes.length + numNumbers;
  const end = offset + codeSize(code);
  out.fill(0, offset, end);
  let at = offset;
  for (let k = 0; k < sizes.length; k++) {
    out[at + actions[i * numElements + k]] = 1;
    at += sizes[k];
  }
  for (let k = 0; k < numNumbers; k++) out[at + k] = actions[i * numElements + sizes.length + k];
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
