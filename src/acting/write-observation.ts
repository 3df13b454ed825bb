/** An observation that a caller gives a loaded policy, as a flat row. */
import { flattenObservation } from '../env/flatten-space.ts';
import { describeSpace } from '../env/space-json.ts';
import { explainMismatch } from '../env/space-values.ts';
import type { Space } from '../env/spaces.ts';
import type { ObservationArray } from '../env/vector-env.ts';
import { ShapeError } from '../errors.ts';

/**
 * @param row index in a batch, for messages; undefined = there is only one.
 * @throws ShapeError `SHAPE_OBSERVATION`.
 */
export function writeObservation(
  space: Space,
  observation: unknown,
  out: ObservationArray,
  offset: number,
  row?: number,
): void {
  try {
    flattenObservation(space, observation, out, offset);
  } catch (cause) {
    const reason = explainMismatch(space, observation, 'observation') ?? String(cause);
    throw new ShapeError(
      'SHAPE_OBSERVATION',
      `Expected an observation${row === undefined ? '' : ` ${row}`} in ${describeSpace(space)}: ${reason}`,
      { cause },
    );
  }
}
