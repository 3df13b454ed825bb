/** Which sequences of a row have their state kept at a step: `recurrentStates` of src/experience/layout.ts. */

/**
 * Calls `keep` with the number of each sequence whose state is that of step t, before it is acted for: a row's first begins at step 0, any other s at
 * s L - B (B = burn-in, L at most), so that B steps may be run through again before it.
 */
export function eachStateOfStep(
  t: number,
  { length, burnIn, numSequences }: SequencesOfRow,
  keep: (sequence: number) => void,
): void {
  if (t === 0) keep(0);
  const s = (t + burnIn) / length;
  if (s >= 1 && s < numSequences && Number.isInteger(s)) keep(s);
}

export interface SequencesOfRow {
  /** L. */
  readonly length: number;
  /** B. */
  readonly burnIn: number;
  /** T / L. */
  readonly numSequences: number;
}
