/**
 * The control words of an objective learner: the claims and phases of `../control.ts`, with words of its own between them.
 *
 * An update is its due steps one after the other, each a gradient, a reduction, Adam and, where it has some, blends. Then the phase WAIT,
 * in which main fills the next batch and helpers wait; OVER sends them home.
 */

/** Indices of int32 words; those below 36 are `../control.ts`'s. */
export const ObjectiveWord = {
  NUM_THREADS: 35,
  STEP: 36,
  /** Bit s is set when step s is due in this update. */
  DUE: 37,
  NUM_ROWS: 38,
  IS_NORMALIZED: 39,
  NON_FINITE_RULE: 40,
  NUM_SKIPPED: 41,
  NUM_CLIPPED: 42,
  /** 1 + index of what was not finite among statistics, then the step's groups' norms; 0 = nothing. */
  NON_FINITE: 43,
} as const;

/** As many as DUE has bits. */
export const MAX_STEPS = 32;

export const ObjectiveKind = { OVER: 0, GRADIENT: 1, REDUCE: 2, ADAM: 3, BLEND: 4, WAIT: 5 } as const;
