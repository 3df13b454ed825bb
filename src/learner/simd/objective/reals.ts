/** The float64 numbers that learning threads share, and where each lies. Written by an item's owner, or by whoever opens the next phase. */
import { MAX_STATS } from '../control.ts';

/** What a group keeps between updates and within one; indices from `group(g)`. */
export const GroupReal = {
  STEP: 0,
  SCALE: 1,
  STEP_SIZE: 2,
  ROOT_CORRECTION: 3,
  DECAY: 4,
  NORM_SUM: 5,
} as const;
const GROUP_REALS = 6;

/** Indices of float64 numbers. */
export interface RealIndex {
  /** Value of what was not finite. */
  readonly badValue: number;
  group(g: number): number;
  /** A step's statistics summed over the updates of a call; then, at + MAX_STATS, of how many updates. */
  stepSums(step: number): number;
  /** Sum of squares of a slice's gradient. */
  sliceSum(slice: number): number;
  /** The statistics of an item: a group of blocks. */
  itemStats(item: number): number;
  readonly length: number;
}

export function indexReals(
  numGroups: number,
  numSteps: number,
  numSlices: number,
  numItems: number,
): RealIndex {
  const groups = 1;
  const sums = groups + GROUP_REALS * numGroups;
  const slices = sums + numSteps * (MAX_STATS + 1);
  const items = slices + numSlices;
  return {
    badValue: 0,
    group: (g) => groups + GROUP_REALS * g,
    stepSums: (step) => sums + step * (MAX_STATS + 1),
    sliceSum: (slice) => slices + slice,
    itemStats: (item) => items + item * MAX_STATS,
    length: items + numItems * MAX_STATS,
  };
}
