/** Random actions under a mask. */
import type { Stream } from '../random/streams.ts';
import { flatActionSize, flattenAction, flattenActionSpace, unflattenAction } from './flatten-action.ts';
import { sampleSpace } from './space-values.ts';
import type { FlatAction, Space } from './spaces.ts';

/**
 * A random action of the space, whose choices are uniform over those that the mask allows; one of which nothing is allowed is drawn as without a
 * mask. Allocates.
 *
 * @param mask 1 = allowed, one choice after the other; undefined = all are.
 */
export function sampleAllowed(space: Space, mask: ArrayLike<number> | undefined, stream: Stream): unknown {
  const action = sampleSpace(space, stream);
  if (mask === undefined) return action;
  const flat = new Float32Array(flatActionSize(space));
  flattenAction(space, action, flat, 0);
  let first = 0;
  alternatives(flattenActionSpace(space)).forEach((size, element) => {
    const allowed = Array.from({ length: size }, (_, k) => k).filter((k) => mask[first + k] > 0);
    if (allowed.length > 0) flat[element] = allowed[stream.integer(allowed.length)];
    first += size;
  });
  return unflattenAction(space, flat, 0);
}

/** Of each element of the flat action: what a mask says about it; 0 = nothing. */
function alternatives(flat: FlatAction): readonly number[] {
  if (flat.kind === 'categorical') return flat.sizes;
  if (flat.kind === 'product') return flat.parts.flatMap(alternatives);
  return new Array<number>(flat.size).fill(0);
}
