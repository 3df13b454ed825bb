/**
 * The words by which threads agree on who computes what.
 *
 * An update is a sequence of phases: gradient, reduce, adam for each minibatch of each epoch, then `over`. A phase is a
 * number of work items. Any thread claims an item by compare-and-swap and computes it; whoever finishes the
 * last item of a phase opens the next. Nobody waits for threads, only for items: a helper that comes late or leaves early
 * changes the speed and nothing else, and what an item computes depends on its number alone.
 *
 * Phase numbers only grow (mod 2^24 in claims); a claim is (phase << 8 | thread). An odd number means that the words of the next
 * phase are being written: a thread that read them half-way finds, after its claim, that the number has moved, and drops the claim.
 */

/** Indices of int32 words. The first ones are hot, each in its own cache line. */
export const Word = {
  PHASE: 0,
  NUM_DONE: 16,
  /** NUM_DONE at which the phase is over. */
  DONE_TARGET: 32,
  KIND: 33,
  NUM_ITEMS: 34,
  NUM_THREADS: 35,
  EPOCH: 36,
  MINIBATCH: 37,
  MINIBATCH_SIZE: 38,
  NUM_SAMPLES: 39,
  NORMALIZE_OBSERVATIONS: 40,
  /** What a non-finite minibatch does, see `NonFinite`. */
  NON_FINITE_RULE: 41,
  NUM_RUN: 42,
  NUM_SKIPPED: 43,
  /** 1 + index of the statistic that was not finite (numStats = the gradient norm), or 0. */
  NON_FINITE: 44,
  NUM_CLIPPED: 45,
  NUM_EPOCHS: 46,
  /** Minibatches with finite numbers, those that the means are over: of the update, and of the epoch. */
  NUM_FINITE: 47,
  ADDRESSES: 48, // 7 words: the rollout's columns
  NUM_FINITE_IN_EPOCH: 55,
  NORMALIZE_ADVANTAGES: 56,
  SEQUENCE_ADDRESSES: 57, // 3 words: columns that sequences read
  /** T of the rollout; read by recurrent policies alone. */
  ROLLOUT_LENGTH: 60,
  CLAIMS: 64,
} as const;

export const ADDRESS_COLUMNS = [
  'observations',
  'actions',
  'actionMasks',
  'logProbs',
  'values',
  'returns',
  'advantages',
] as const;

/** Read by recurrent policies alone. */
export const SEQUENCE_COLUMNS = ['recurrentStates', 'terminated', 'truncated'] as const;

/** Ends the update, has its step skipped, or its gradient clipped. */
export const NonFinite = { skip: 0, stop: 1, clip: 2 } as const;

export const Kind = { OVER: 0, GRADIENT: 1, REDUCE: 2, ADAM: 3 } as const;

export const MAX_ITEMS = 17; // 16 slices and a minibatch's advantages
export const MAX_STATS = 32;
export const MAX_SCALARS = 32;
export const NUM_SUMS = MAX_STATS + 1;
const CLAIM_STRIDE = 16; // words: one cache line each
const DONE_ITEMS = Word.CLAIMS + MAX_ITEMS * CLAIM_STRIDE;
const WORDS_END = DONE_ITEMS + MAX_ITEMS;

/** Indices of float64 numbers that follow the words. */
export const Real = {
  LEARNING_RATE: 0,
  ADAM_STEP: 1,
  GRADIENT_SCALE: 2,
  STEP_SIZE: 3,
  ROOT_CORRECTION: 4,
  /** Value of the statistic that was not finite. */
  BAD_VALUE: 5,
  /** After an epoch whose mean approxKl is larger the rest are skipped. */
  KL_LIMIT: 6,
  /** Sums over the minibatches of an epoch: MAX_STATS statistics, then the gradient norm. */
  EPOCH_SUMS: 8,
  /** Sums over the epochs of an update, likewise. */
  UPDATE_SUMS: 8 + NUM_SUMS,
  SLICE_SUMS: 8 + 2 * NUM_SUMS,
  ITEM_STATS: 8 + 2 * NUM_SUMS + MAX_ITEMS,
} as const;
const REALS_END = Real.ITEM_STATS + MAX_ITEMS * MAX_STATS;

const REALS_OFFSET = 4 * Math.ceil(WORDS_END / 16) * 16;
const SCALARS_OFFSET = REALS_OFFSET + 8 * REALS_END;
export const CONTROL_BYTES = SCALARS_OFFSET + 4 * MAX_SCALARS;

export interface ControlViews {
  readonly words: Int32Array; // i32
  readonly reals: Float64Array; // f64, see Real
  readonly scalars: Float32Array; // f32 [MAX_SCALARS], what the output gradient reads
}

export function openControl(buffer: ArrayBufferLike, address: number): ControlViews {
  return {
    words: new Int32Array(buffer, address, WORDS_END),
    reals: new Float64Array(buffer, address + REALS_OFFSET, REALS_END),
    scalars: new Float32Array(buffer, address + SCALARS_OFFSET, MAX_SCALARS),
  };
}

const claimWord = (item: number) => Word.CLAIMS + item * CLAIM_STRIDE;

/** Takes item `item` of phase `phase` for a thread, unless somebody has it. */
export function claimItem(words: Int32Array, item: number, phase: number, thread: number): boolean {
  const index = claimWord(item);
  const claim = Atomics.load(words, index);
  const age = (claim - (phase << 8)) >> 8; // in phases, wrapping
  if (age >= 0) return false;
  return Atomics.compareExchange(words, index, claim, (phase << 8) | thread) === claim;
}

/** Forgets claims of long ago, so that numbers cannot wrap around to look like new ones. Between updates. */
export function ageClaims(words: Int32Array): void {
  const previous = (Atomics.load(words, Word.PHASE) - 1) << 8;
  for (let item = 0; item < MAX_ITEMS; item++) Atomics.store(words, claimWord(item), previous);
}

/** Notes an item as computed; true when it was the last of its phase. */
export function finishItem(words: Int32Array, item: number, phase: number): boolean {
  Atomics.store(words, DONE_ITEMS + item, phase);
  return ((Atomics.add(words, Word.NUM_DONE, 1) + 1) | 0) === Atomics.load(words, Word.DONE_TARGET);
}

/** The thread that holds an unfinished item, or -1. */
export function holderOf(words: Int32Array, item: number, phase: number): number {
  if (Atomics.load(words, DONE_ITEMS + item) === phase) return -1;
  const claim = Atomics.load(words, claimWord(item));
  return (claim - (phase << 8)) >> 8 === 0 ? claim & 0xff : -1;
}

/** The kind of an open phase; -1 while the words change, or when it is over already. */
export function kindOf(words: Int32Array, phase: number): number {
  if (phase & 1) return -1;
  const kind = Atomics.load(words, Word.KIND);
  return Atomics.load(words, Word.PHASE) === phase ? kind : -1;
}

/** Has every thread leave. Main's, also when the thread that was opening a phase died half-way. */
export function endUpdate(words: Int32Array): void {
  if (Atomics.load(words, Word.PHASE) & 1) Atomics.add(words, Word.PHASE, 1);
  openPhase(words, Kind.OVER, 0);
}

/** Opens the next phase. Only the thread that finished the last one may call it, or main while nothing runs. */
export function openPhase(words: Int32Array, kind: number, numItems: number): void {
  Atomics.add(words, Word.PHASE, 1);
  Atomics.store(words, Word.KIND, kind);
  Atomics.store(words, Word.NUM_ITEMS, numItems);
  Atomics.store(words, Word.DONE_TARGET, (Atomics.load(words, Word.NUM_DONE) + numItems) | 0);
  Atomics.add(words, Word.PHASE, 1);
  Atomics.notify(words, Word.PHASE);
}
