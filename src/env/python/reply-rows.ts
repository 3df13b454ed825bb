/** Observations that came through the pipe, where they are aligned: those of the last answer, and the last ones of episodes. */
import type { ObservationArray } from '../vector-env.ts';

export interface ReplyRows {
  /** Takes what the answer has of every row. */
  take(): void;
  /** @param packed the last observations of rows that ended, in their order. @returns how many bytes of it they are. */
  takeFinals(packed: Uint8Array, numFinals: number, ends: Uint8Array): number;
  /** Of rows that ended, their observations are the last ones. */
  keepEnded(ends: Uint8Array): void;
  /** Copies a row's observation, or the last one of the episode that ended. */
  copy(n: number, isFinal: boolean, out: ObservationArray, offset: number): void;
}

/** From so many elements on, a copy by `set` costs less than one by one. */
const LONG_ROW = 64;
/** An environment that failed has no last observation. */
const ENDED = 3;

/** @param sent where the answer is read to: [numEnvs, obsSize], at any address. */
export function createReplyRows(
  sent: Uint8Array,
  numEnvs: number,
  obsSize: number,
  dtype: 'float32' | 'uint8',
): ReplyRows {
  const length = 2 * numEnvs * obsSize;
  const values = dtype === 'uint8' ? new Uint8Array(length) : new Float32Array(length); // [2, numEnvs, obsSize]: observations, last ones
  const bytes = new Uint8Array(values.buffer);
  const rowBytes = bytes.length / (2 * numEnvs);
  return {
    take: () => bytes.set(sent),
    takeFinals(packed, numFinals, ends) {
      let from = 0;
      for (let n = 0; n < numEnvs && from < numFinals * rowBytes; n++) {
        if ((ends[n] & ENDED) === 0) continue;
        bytes.set(packed.subarray(from, from + rowBytes), (numEnvs + n) * rowBytes);
        from += rowBytes;
      }
      return numFinals * rowBytes;
    },
    keepEnded(ends) {
      for (let n = 0; n < numEnvs; n++) {
        if ((ends[n] & ENDED) === 0) continue;
        const at = n * obsSize;
        values.copyWithin((numEnvs + n) * obsSize, at, at + obsSize);
      }
    },
    copy(n, isFinal, out, offset) {
      const at = (isFinal ? numEnvs + n : n) * obsSize;
      if (obsSize >= LONG_ROW) out.set(values.subarray(at, at + obsSize), offset);
      else for (let k = 0; k < obsSize; k++) out[offset + k] = values[at + k];
    },
  };
}
