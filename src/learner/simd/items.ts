/** What a work item computes. One of these per thread; it owns the thread's scratch. */
import { arrangeAdvantages } from './arrange-advantages.ts';
import { ADDRESS_COLUMNS, type ControlViews, MAX_STATS, openControl, Real, Word } from './control.ts';
import { numGroupsFor, type SimdLearnerLayout, type SimdLearnerOptions } from './layout.ts';
import { createTowerRows, type ThreadContextOptions } from './tower-rows.ts';

export interface ThreadContext {
  readonly threadIndex: number;
  readonly control: ControlViews;
  readonly layout: SimdLearnerLayout;
  readonly options: SimdLearnerOptions;
  readonly numStats: number;
  readonly numTowers: number;
  /** Index of the statistic that may end an update early; -1 = it has none. */
  readonly klStat: number;
  /** The minibatch's gradient between reduction and Adam: the first slab. f32 [parameterCount] */
  readonly summedGradient: Float32Array;
  /** Runs item `item` of the gradient phase `phase`. */
  gradient(item: number, phase: number): void;
  /** Sums the groups' gradients in share `share` of the slices. */
  reduce(share: number): void;
  adam(share: number): void;
  /** Puts a minibatch's advantages where `gradient` reads them. */
  arrange(epoch: number, minibatch: number): void;
  /** As `arrange`, for what follows the present minibatch. While no gradient item runs. */
  arrangeNext(): void;
}

/** Rows of minibatch `k`, and where it starts in its epoch. */
export function minibatchRange(words: Int32Array): { readonly start: number; readonly rows: number } {
  const size = words[Word.MINIBATCH_SIZE];
  const start = words[Word.MINIBATCH] * size;
  return { start, rows: Math.min(size, words[Word.NUM_SAMPLES] - start) };
}

/**
 * Items of a reduction and of Adam: every thread gets two shares of the slices. A share for each slice would balance better, but a
 * claim costs 0.1 us, and a slice's work about 1.
 */
export function numShares({ numSlices }: SimdLearnerLayout, words: Int32Array): number {
  return Math.min(numSlices, 2 * words[Word.NUM_THREADS]);
}

/** Arranges a minibatch's advantages, or the next one's. */
function createArrange({ arena, layout }: ThreadContextOptions, words: Int32Array) {
  const { numSamples, maxEpochs } = layout;
  const permutations = new Int32Array(arena.buffer, layout.permutations, maxEpochs * numSamples);
  const out = new Float32Array(arena.buffer, layout.advantages, numSamples);
  let advantages = out.subarray(0, 0);
  const arrange = (epoch: number, minibatch: number) => {
    const address = words[Word.ADDRESSES + ADDRESS_COLUMNS.indexOf('advantages')] >>> 0;
    if (advantages.byteOffset !== address) advantages = new Float32Array(arena.buffer, address, numSamples);
    const size = words[Word.MINIBATCH_SIZE];
    const perEpoch = words[Word.NUM_SAMPLES];
    const start = minibatch * size;
    const end = Math.min(perEpoch, start + size);
    const normalize = words[Word.NORMALIZE_ADVANTAGES] === 1;
    arrangeAdvantages({ advantages, permutations, first: epoch * perEpoch, start, end, normalize, out });
  };
  const arrangeNext = () => {
    const next = words[Word.MINIBATCH] + 1;
    if (next * words[Word.MINIBATCH_SIZE] < words[Word.NUM_SAMPLES]) arrange(words[Word.EPOCH], next);
    else if (words[Word.EPOCH] + 1 < words[Word.NUM_EPOCHS]) arrange(words[Word.EPOCH] + 1, 0);
  };
  return { arrange, arrangeNext };
}

/** The gradient of one group of blocks through one tower, into the group's slab. */
function createGradientItem(setup: ThreadContextOptions, control: ControlViews) {
  const { layout, outputGradient } = setup;
  const { words, reals } = control;
  const numStats = outputGradient.statNames.length;
  const { towers, prepare, runBlock } = createTowerRows(setup, control);
  const run = (item: number, phase: number) => {
    const { start, rows: minibatchRows } = minibatchRange(words);
    const { blockRows } = layout;
    const numGroups = numGroupsFor(layout, minibatchRows);
    const numBlocks = Math.ceil(minibatchRows / blockRows);
    // the towers of a group one after the other: what both read is gathered once where one thread has both
    const towerIndex = item % towers.length;
    const group = Math.floor(item / towers.length);
    prepare(towerIndex, phase, minibatchRows);
    const statsBase = Real.ITEM_STATS + item * MAX_STATS;
    for (let s = 0; s < numStats; s++) reals[statsBase + s] = 0;
    const firstBlock = Math.floor((group * numBlocks) / numGroups);
    const lastBlock = Math.floor(((group + 1) * numBlocks) / numGroups);
    for (let block = firstBlock; block < lastBlock; block++) {
      const first = block * blockRows;
      const numRows = Math.min(blockRows, minibatchRows - first);
      runBlock(towerIndex, group, start + first, numRows, block === firstBlock, statsBase);
    }
  };
  return { run, numTowers: towers.length };
}

/** Makes what a thread needs to take part; costs a few views, no arena memory beyond the layout's. */
export function createThreadContext(setup: ThreadContextOptions): ThreadContext {
  const { kernels, arena, options, layout, outputGradient } = setup;
  const control = openControl(arena.buffer, layout.control.offset);
  const { words, reals } = control;
  const { run, numTowers } = createGradientItem(setup, control);
  const { adamBeta1 = 0.9, adamBeta2 = 0.999, adamEpsilon = 1e-5 } = options;
  const totalBytes = 4 * layout.parameterCount;
  const offsetOf = (slice: number) => Math.min(slice * layout.sliceBytes, totalBytes);
  const firstSlice = (share: number) => Math.floor((share * layout.numSlices) / numShares(layout, words));
  return {
    threadIndex: setup.threadIndex,
    control,
    layout,
    options,
    numStats: outputGradient.statNames.length,
    numTowers,
    klStat: outputGradient.statNames.indexOf('approxKl'),
    ...createArrange(setup, words),
    summedGradient: new Float32Array(arena.buffer, layout.slabs, layout.parameterCount),
    gradient: run,
    reduce(share) {
      const numGroups = numGroupsFor(layout, minibatchRange(words).rows);
      for (let slice = firstSlice(share); slice < firstSlice(share + 1); slice++) {
        const offset = offsetOf(slice);
        reals[Real.SLICE_SUMS + slice] = kernels.reduceSlice(
          layout.slabs + offset,
          layout.slabBytes,
          numGroups,
          offsetOf(slice + 1) - offset,
        );
      }
    },
    adam(share) {
      const offset = offsetOf(firstSlice(share));
      kernels.adamSlice(
        layout.parameters + offset,
        layout.slabs + offset,
        layout.m + offset,
        layout.v + offset,
        offsetOf(firstSlice(share + 1)) - offset,
        reals[Real.GRADIENT_SCALE],
        adamBeta1,
        1 - adamBeta1,
        adamBeta2,
        1 - adamBeta2,
        reals[Real.STEP_SIZE],
        reals[Real.ROOT_CORRECTION],
        adamEpsilon,
        1,
      );
    },
  };
}
