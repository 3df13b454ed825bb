/** How much is learnt for how much is experienced. Everything follows from the number of environment steps: there is no state to save. */

export interface PaceOptions {
  /** Environment steps before the first update. */
  readonly learningStarts: number;
  /** Updates for each environment step; fractions add up; null = go by gradientSteps, which is set then. */
  readonly updatesPerStep: number | null;
  /** Updates after each fragment instead; null = go by updatesPerStep. */
  readonly gradientSteps: number | null;
}

/**
 * Updates that are due once the run has gone from `before` to `after` environment steps: none until `after` exceeds learningStarts, then
 * gradientSteps, or the whole part of updatesPerStep times the steps since learningStarts less what was due before.
 */
export function numUpdatesDue(
  { learningStarts, updatesPerStep, gradientSteps }: PaceOptions,
  before: number,
  after: number,
): number {
  if (after <= learningStarts) return 0;
  if (gradientSteps !== null) return gradientSteps;
  const dueAt = (step: number) => Math.floor((updatesPerStep ?? 0) * Math.max(0, step - learningStarts));
  return dueAt(after) - dueAt(before);
}

/** Whether a multiple of `interval` lies in (before, after]: a target network's hard copy. */
export function isCrossed(interval: number, before: number, after: number): boolean {
  return Math.floor(after / interval) > Math.floor(before / interval);
}

/** Fragments of `fragmentSteps` that make up an iteration of at least `stepsPerIteration` steps. */
export function fragmentsPerIteration(stepsPerIteration: number, fragmentSteps: number): number {
  return Math.max(1, Math.ceil(stepsPerIteration / fragmentSteps));
}
