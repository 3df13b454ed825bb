/** What a version was asked of late, to compare others with it. */
import type { BatchRows, LoadedModel } from './load-model.ts';

/** The last rows that a version was asked about; a ring. */
export interface RecordedRows {
  /** Keeps the first row of a request, of a frame with what came beside it: 64 KiB or less. Its arrays are nobody's to change any more. */
  add(request: BatchRows): void;
  rows(): readonly RecordedRow[];
}

type RecordedRow = Pick<BatchRows, 'observations' | 'masks' | 'states'>;

const NUM_ROWS = 64;

export function createRecordedRows({ spec, stateSize }: LoadedModel): RecordedRows {
  const ring: RecordedRow[] = [];
  let next = 0;
  const { observationSize, actionMaskSize } = spec;
  return {
    add({ observations, masks, states, numRows }) {
      // A copy where there are more rows, which would be kept with the first one.
      ring[next] =
        numRows === 1
          ? { observations, masks, states }
          : {
              observations: observations.slice(0, observationSize),
              masks: masks?.slice(0, actionMaskSize) ?? null,
              states: states?.slice(0, stateSize) ?? null,
            };
      next = (next + 1) % NUM_ROWS;
    },
    rows: () => [...ring],
  };
}
