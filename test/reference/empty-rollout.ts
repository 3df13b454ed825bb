/** A block set outside of any run. */

import {
  initializeRollout,
  openRollout,
  type RolloutViews,
  rolloutLayout,
} from '../../src/experience/layout.ts';
import type { PolicySpec } from '../../src/policy/policy-spec.ts';

/** N rows of T steps in memory of their own, all zero. */
export function emptyRollout(spec: PolicySpec, numRows: number, rolloutLength: number): RolloutViews {
  const layout = rolloutLayout(spec, numRows, rolloutLength);
  const buffer = new SharedArrayBuffer(layout.byteLength);
  initializeRollout(buffer, 0, layout);
  return openRollout(buffer, 0, layout);
}
