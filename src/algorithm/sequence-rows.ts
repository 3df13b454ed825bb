/** How a batch of sequences out of a replay buffer lies in rows. */
import type { SequenceRows } from '../learner/objective.ts';
import { type WindowShape, windowLength } from '../replay/recurrent-windows.ts';

/** The options that say so. */
export type SequenceShape = Omit<WindowShape, 'gamma'> & {
  /** Steps that are learnt in a batch, a multiple of `4 sequenceLength`. */
  readonly batchSize: number;
};

/** Sequences of a block that go through the cell side by side: eight where that leaves blocks for two threads. */
const perBlockOf = (numSequences: number): number => (numSequences % 16 === 0 ? 8 : 4);

export function sequenceRowsOf(shape: SequenceShape): SequenceRows {
  const { burnIn, batchSize, sequenceLength } = shape;
  return { length: windowLength(shape), burnIn, perBlock: perBlockOf(batchSize / sequenceLength) };
}

/** Rows of such a batch, those of burn-in and bootstrap included. */
export const numSequenceRows = (shape: SequenceShape): number =>
  (shape.batchSize / shape.sequenceLength) * windowLength(shape);

/** How a batch holds sequences, by an algorithm's options; null = it holds transitions. */
export function learntSequences(
  training: SequenceShape & { readonly recurrent: string | null },
): SequenceRows | null {
  return training.recurrent === null ? null : sequenceRowsOf(training);
}
