/** An action mask that a caller gives a loaded policy. */
import { ShapeError } from '../errors.ts';
import type { ActingSpec } from '../policy/policy-spec.ts';

/** @param out null = the policy has no masks. @throws ShapeError `SHAPE_ACTION_MASK`. */
export function writeMask(
  { actionMaskSize }: ActingSpec,
  mask: ArrayLike<number> | undefined,
  out: Uint8Array | null,
  offset: number,
): void {
  if (out === null) return;
  if (mask === undefined || mask.length !== actionMaskSize) {
    throw new ShapeError(
      'SHAPE_ACTION_MASK',
      `Expected \`actionMask\` of length ${actionMaskSize}, with which this policy was trained, got ${mask === undefined ? 'none' : `length ${mask.length}`}.`,
    );
  }
  out.set(mask, offset);
}
