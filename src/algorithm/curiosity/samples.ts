/** What curiosity reads of a rollout: what each step led to, and its action in numbers. */
import type { RolloutViews } from '../../experience/layout.ts';
import { alternativesOf, type DistributionSpec } from '../../policy/policy-spec.ts';
import type { ObservedRows } from '../../statistics/running-moments.ts';
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

/** The steps of a rollout that are judged, and what each of them led to. i is a flat index into the rollout's columns. */
export interface OwnSteps {
  readonly rollout: RolloutViews; // [N, T]
  /** 0 = a hole: nobody's step, or another policy's. */
  readonly own: Uint8Array; // [N, T] u8
  /** Indices of the others, in the order (row, t). */
  readonly samples: Int32Array; // i32
  /** Of the samples, for statistics. */
  readonly observed: ObservedRows;
  /** The column that holds what sample i led to, and its row there. */
  nextRows(i: number): Float32Array | Uint8Array;
  nextRow(i: number): number;
  /** The same of the observation whose value closes row n: the bonus's return goes on from there. */
  closingRows(n: number): Float32Array | Uint8Array;
  closingRow(n: number): number;
}

/** All steps of a rollout without holes. */
export function everyStep(rollout: RolloutViews): OwnSteps {
  const numSamples = rollout.numRows * rollout.rolloutLength;
  return {
    rollout,
    own: new Uint8Array(numSamples).fill(1),
    samples: Int32Array.from({ length: numSamples }, (_, i) => i),
    observed: rollout,
    nextRows: (i) => nextRows(rollout, i),
    nextRow: (i) => nextRow(rollout, i),
    closingRows: () => rollout.bootstrapObservations,
    closingRow: (n) => n,
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
