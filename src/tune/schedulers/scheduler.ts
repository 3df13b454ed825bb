/** What decides which trials go on. */

/**
 * A trial runs from milestone to milestone, and at each is asked whether it goes on. Decisions look at the trial itself and at those with
 * lower numbers only, whichever finished first: so a study is the same for any number of trials side by side.
 */
export interface Scheduler {
  /** Environment steps, ascending, all below the steps of a whole trial. */
  readonly milestones: readonly number[];
  /**
   * @param own scores of the trial at milestones 0 to k.
   * @param before scores of the trials with lower numbers at the milestones that they reached, 0 to k at most, in order.
   */
  goesOn(own: readonly number[], before: readonly (readonly number[])[]): boolean;
}

/** All trials run to their end. */
export const runAll: Scheduler = { milestones: [], goesOn: () => true };

/** Quantile by linear interpolation between order statistics. @param values at least one. */
export function quantileOf(values: readonly number[], q: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const position = (sorted.length - 1) * q;
  const below = Math.floor(position);
  const above = Math.min(below + 1, sorted.length - 1);
  const fraction = position - below;
  return fraction === 0 ? sorted[below] : sorted[below] * (1 - fraction) + sorted[above] * fraction;
}
