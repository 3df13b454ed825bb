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
