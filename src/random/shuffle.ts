import type { Stream } from './streams.ts';

/** Writes a random permutation of 0 .. length - 1 (Fisher-Yates, from the end). Cost: `length - 1` draws, no allocation. */
export function shufflePermutation(indices: Int32Array, stream: Stream): void {
  for (let i = 0; i < indices.length; i++) indices[i] = i;
  shuffleInPlace(indices, stream);
}

/** Brings what is there into a random order, with the draws of {@link shufflePermutation}: `values[k]` becomes `values[permutation[k]]`. */
export function shuffleInPlace(indices: Int32Array, stream: Stream): void {
  for (let i = indices.length - 1; i > 0; i--) {
    const k = stream.integer(i + 1);
    const swapped = indices[i];
    indices[i] = indices[k];
    indices[k] = swapped;
  }
}
