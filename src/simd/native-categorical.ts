/** Categoricals by machine code (`native/categorical.h`), over arrays wherever they lie. */
import { BLOCK_ROWS } from './layer-program.ts';

/** Rows of one or more categoricals each; P logits and S actions in all. */
export interface CategoricalChunk {
  readonly numRows: number; // at most 64
  readonly distributionParameters: Float32Array; // [R, P] f32
  readonly actions: Float32Array | Int32Array; // [R, S] i32
  readonly masks: Uint8Array; // [R, P] u8; 0 = forbidden
  readonly gradDistributionParameters: Float32Array; // [R, P] f32, out
}

/** As `DistributionGradient`, with its bits. */
export interface CategoricalRows {
  /** @returns false where a row is unusual (NaN, nothing allowed, a logit far below the largest): nothing that was written counts then, and the caller computes it. */
  evaluate(chunk: CategoricalChunk, logProbs: Float64Array, entropies: Float64Array): boolean;
  /** Of the chunk evaluated last. */
  backward(chunk: CategoricalChunk, byLogProb: Float64Array, byEntropy: Float64Array): void;
}

/** @param sizes logits of each categorical. */
export type OpenCategorical = (sizes: readonly number[], hasMasks: boolean) => CategoricalRows;

export interface CategoricalCalls {
  /** `args` is the address of {@link Argument}s. */
  categoricalEvaluate(args: number, rows: number): boolean;
  categoricalBackward(args: number, rows: number): void;
}

/** Doubles that a call reads: addresses of arrays, then sizes. */
const Argument = {
  LOGITS: 0,
  ACTIONS: 1,
  MASKS: 2,
  LOG_PROBS: 3,
  ENTROPIES: 4,
  BY_LOG_PROB: 5,
  BY_ENTROPY: 6,
  GRADIENTS: 7,
  CACHE: 8,
  SIZES: 9,
  NUM_SEGMENTS: 10,
  NUM_LOGITS: 11,
  COUNT: 12,
} as const;

/** @param addressOf of an array's first byte; arrays that it was asked about do not move. */
export function createNativeCategorical(
  addressOf: (array: ArrayBufferView) => number,
  calls: CategoricalCalls,
): OpenCategorical {
  return (sizes, hasMasks) => {
    const numLogits = sizes.reduce((sum, size) => sum + size, 0);
    const args = new Float64Array(new ArrayBuffer(8 * Argument.COUNT));
    const address = addressOf(args);
    const placed = new Array<ArrayBufferView | null>(Argument.COUNT).fill(null); // which keeps them alive
    const place = (argument: number, array: ArrayBufferView) => {
      if (placed[argument] === array) return;
      placed[argument] = array;
      args[argument] = addressOf(array);
    };
    place(Argument.CACHE, new Float64Array(BLOCK_ROWS * (2 * numLogits + sizes.length)));
    place(Argument.SIZES, Int32Array.from(sizes));
    args[Argument.NUM_SEGMENTS] = sizes.length;
    args[Argument.NUM_LOGITS] = numLogits;
    return {
      evaluate(chunk, logProbs, entropies) {
        place(Argument.LOGITS, chunk.distributionParameters);
        place(Argument.ACTIONS, chunk.actions);
        if (hasMasks) place(Argument.MASKS, chunk.masks);
        place(Argument.LOG_PROBS, logProbs);
        place(Argument.ENTROPIES, entropies);
        return calls.categoricalEvaluate(address, chunk.numRows);
      },
      backward(chunk, byLogProb, byEntropy) {
        place(Argument.BY_LOG_PROB, byLogProb);
        place(Argument.BY_ENTROPY, byEntropy);
        place(Argument.GRADIENTS, chunk.gradDistributionParameters);
        calls.categoricalBackward(address, chunk.numRows);
      },
    };
  };
}
