/** Numbers that are appended to, in memory that doubles: what a list of boxed numbers would take three times as much for. */

type Numbers = Float32Array | Int32Array | Uint8Array;

export interface GrowingRows<A extends Numbers> {
  add(row: ArrayLike<number>): void;
  /** All that was added, one behind the other: a copy. */
  copy(): A;
}

const FIRST_LENGTH = 64;

/** @param make an array of so many zeros. Thread: any, one each. */
export function createGrowingRows<A extends Numbers>(make: (length: number) => A): GrowingRows<A> {
  let data = make(FIRST_LENGTH);
  let length = 0;
  return {
    add(row) {
      if (length + row.length > data.length) {
        const grown = make(Math.max(2 * data.length, length + row.length));
        grown.set(data.subarray(0, length));
        data = grown;
      }
      for (let k = 0; k < row.length; k++) data[length + k] = row[k];
      length += row.length;
    },
    copy: () => data.slice(0, length) as A,
  };
}
