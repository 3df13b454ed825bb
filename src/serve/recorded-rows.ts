/** What a version was asked of late, to compare others with it. */
import type { LoadedModel } from './load-model.ts';

/** The last rows that a version was asked about; a ring. */
export interface RecordedRows {
  /** Copies the first row of a request. */
  add(observations: Float32Array | Uint8Array, masks: Uint8Array | null): void;
  rows(): readonly RecordedRow[];
}

interface RecordedRow {
  readonly observations: Float32Array | Uint8Array; // [obsSize]
  readonly masks: Uint8Array | null; // [maskSize] u8
}

const NUM_ROWS = 64;

export function createRecordedRows({ spec }: LoadedModel): RecordedRows {
  const ring: RecordedRow[] = [];
  let next = 0;
  const { observationSize, actionMaskSize } = spec;
  return {
    add(observations, masks) {
      ring[next] = {
        observations: observations.slice(0, observationSize),
        masks: masks === null ? null : masks.slice(0, actionMaskSize),
      };
      next = (next + 1) % NUM_ROWS;
    },
    rows: () => [...ring],
  };
}
