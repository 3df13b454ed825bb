/** The flat parameter vector: every engine, kernel, file and optimizer agrees on this order. */

/** One tensor inside the flat Float32Array; `offset` and `size` in elements. Matrices are row-major [in, out]. */
export interface ParameterEntry {
  readonly name: string;
  readonly shape: readonly number[];
  readonly offset: number;
  readonly size: number;
}

export interface ParameterLayout {
  readonly entries: readonly ParameterEntry[];
  /** Elements in all, padding included. */
  readonly size: number;
}

/** Tensors start at multiples of this many elements (64 bytes), zero-filled in between. */
const ALIGNMENT = 16;

export function createParameterLayout(
  tensors: readonly { name: string; shape: readonly number[] }[],
): ParameterLayout {
  let offset = 0;
  const entries = tensors.map(({ name, shape }) => {
    const size = shape.reduce((product, dimension) => product * dimension, 1);
    const entry = { name, shape, offset, size };
    offset += Math.ceil(size / ALIGNMENT) * ALIGNMENT;
    return entry;
  });
  return { entries, size: offset };
}
