/** A block set outside of any run. */

import {
  initializeRollout,
  ON_POLICY_COLUMNS,
  openRollout,
  type RolloutColumns,
  type RolloutViews,
  rolloutLayout,
} from '../../src/experience/layout.ts';
import type { PolicySpec } from '../../src/policy/policy-spec.ts';

/** N rows of T steps in memory of their own, all zero. */
export function emptyRollout(
  spec: PolicySpec,
  numRows: number,
  rolloutLength: number,
  columns: RolloutColumns = ON_POLICY_COLUMNS,
): RolloutViews {
  const layout = rolloutLayout(spec, numRows, rolloutLength, columns);
  const buffer = new SharedArrayBuffer(layout.byteLength);
  initializeRollout(buffer, 0, layout);
  return openRollout(buffer, 0, layout);
}
