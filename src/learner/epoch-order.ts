/** In which order an epoch goes over a rollout: samples one by one, or whole sequences. */
import { shufflePermutation } from '../random/shuffle.ts';
import type { Stream } from '../random/streams.ts';

/** How sequences go through a recurrent cell. */
export interface SequenceShape {
  /** Steps, L. */
  readonly length: number;
  /** Sequences side by side, at most, R. */
  readonly perBlock: number;
  /** Steps before a sequence that only warm its state, B, at most L. Absent = 0. */
  readonly burnIn?: number;
}

/** Sequences of the largest block: products over them run near the kernels' peak from here on. */
const MAX_PER_BLOCK = 16;

/**
 * Sequences that go through a cell together, from the numbers of a config alone: 4 to 16, so that a minibatch of more than four has at
 * least two blocks for two threads.
 */
export function sequencesPerBlock(minibatchSize: number, sequenceLength: number): number {
  const numSequences = Math.floor(minibatchSize / sequenceLength);
  return numSequences <= 4 ? numSequences : Math.min(MAX_PER_BLOCK, 4 * Math.ceil(numSequences / 8));
}

/**
 * How a config's algorithm goes over its rollouts of `numSamples` rows, in minibatches of `minibatchSize`.
 *
 * @param engine TensorFlow takes all sequences of a minibatch side by side.
 */
export function createRolloutOrder(
  training: { readonly recurrent: 'lstm' | 'gru' | 'attention' | null; readonly sequenceLength: number },
  engine: 'simd' | 'tensorflow',
  numSamples: number,
  minibatchSize: number,
): EpochOrder {
  const { recurrent, sequenceLength: length } = training;
  if (recurrent === null) return createEpochOrder(numSamples, minibatchSize, null);
  const perBlock = engine === 'simd' ? sequencesPerBlock(minibatchSize, length) : minibatchSize / length;
  return createEpochOrder(numSamples, minibatchSize, { length, perBlock });
}

/** `out` i32 [numSamples]; without a stream nothing is shuffled, for algorithms whose only minibatch is the rollout. */
export type EpochOrder = (out: Int32Array, stream: Stream | null) => void;

/**
 * Makes the function that writes one epoch's permutation of the flat indices i = n * T + t.
 *
 * Without sequences a plain shuffle. With them whole sequences [s L, (s + 1) L) are shuffled, and a minibatch's are written in blocks of
 * `perBlock` (the last has what is left), step by step: all first samples of a block, then all second ones, and so on. The minibatch's size
 * is a multiple of L, so no sequence is cut and none is padded.
 *
 * @returns a function that allocates nothing. Draws one number a sample, or a sequence, less one.
 */
export function createEpochOrder(
  numSamples: number,
  minibatchSize: number,
  sequences: SequenceShape | null,
): EpochOrder {
  if (sequences === null) return orderRows;
  const { length, perBlock } = sequences;
  const order = new Int32Array(numSamples / length); // [sequences] i32
  const perMinibatch = minibatchSize / length;
  return (out, stream) => {
    orderRows(order, stream);
    let k = 0;
    for (let first = 0; first < order.length; first += perMinibatch) {
      const end = Math.min(order.length, first + perMinibatch);
      for (let block = first; block < end; block += perBlock) {
        const blockEnd = Math.min(end, block + perBlock);
        for (let t = 0; t < length; t++) {
          for (let s = block; s < blockEnd; s++) out[k++] = order[s] * length + t;
        }
      }
    }
  };
}

function orderRows(out: Int32Array, stream: Stream | null): void {
  if (stream !== null) shufflePermutation(out, stream);
  else for (let i = 0; i < out.length; i++) out[i] = i;
}
