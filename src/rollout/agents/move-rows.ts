/** Some rows of one array to others of another, all at once: by the kernels where both lie in the arena. */
import type { Kernels } from '../../simd/kernel-exports.ts';
import { copyRow, type Numbers } from './seat-rows.ts';

/** `indices` of the arena, [count] i32. */
export type MoveRows = (indices: Int32Array, count: number) => void;

interface Rows {
  readonly from: Numbers;
  readonly to: Numbers;
  /** Elements of a row. */
  readonly size: number;
}

/** Row indices[k] becomes row k. @param buffer of the arena. */
export function createGather(kernels: Kernels, buffer: ArrayBufferLike, { from, to, size }: Rows): MoveRows {
  if (from.buffer !== buffer || to.buffer !== buffer)
    return (indices, count) => {
      for (let k = 0; k < count; k++) copyRow(from, indices[k], to, k, size);
    };
  const move = from instanceof Uint8Array ? kernels.gatherBytes : kernels.gatherWords;
  return (indices, count) => move(from.byteOffset, indices.byteOffset, count, size, to.byteOffset);
}

/** Row k becomes row indices[k]. Both lie in the arena. */
export function createScatter(kernels: Kernels, { from, to, size }: Rows): MoveRows {
  const move = from instanceof Uint8Array ? kernels.scatterBytes : kernels.scatterWords;
  return (indices, count) => move(from.byteOffset, indices.byteOffset, count, size, to.byteOffset);
}
