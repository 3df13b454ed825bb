/** What a work item computes. One of these per thread; it owns the thread's scratch. */
import type { Arena } from '../../memory/arena.ts';
import { actionDtype, actionSize, distributionSize, type PolicySpec } from '../../policy/policy-spec.ts';
import type { Kernels } from '../../simd/kernel-exports.ts';
import { BLOCK_ROWS, policyLayers } from '../../simd/layer-program.ts';
import type { GradientChunk, OutputGradient } from '../output-gradient.ts';
import { arrangeAdvantages } from './arrange-advantages.ts';
import { ADDRESS_COLUMNS, type ControlViews, MAX_STATS, openControl, Real, Word } from './control.ts';
import { numGroupsFor, type SimdLearnerLayout, type SimdLearnerOptions } from './layout.ts';
import { createThreadPlan, type RowScratch, shownLatentSize, type TowerProgram } from './tower-plan.ts';

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

export interface ThreadContextOptions {
  readonly kernels: Kernels;
  readonly arena: Arena;
  readonly spec: PolicySpec;
  readonly options: SimdLearnerOptions;
  readonly layout: SimdLearnerLayout;
  readonly outputGradient: OutputGradient;
  readonly threadIndex: number;
}

type MutableChunk = { -readonly [K in keyof GradientChunk]: GradientChunk[K] };

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

function createChunk(
  { arena, spec, layout, outputGradient }: ThreadContextOptions,
  rows: RowScratch,
  tower: TowerProgram,
  scalars: Float32Array,
): MutableChunk {
  const { buffer } = arena;
  const { logStd } = policyLayers(spec);
  const P = distributionSize(spec.distribution);
  const numActions = BLOCK_ROWS * actionSize(spec.distribution);
  const floats = (address: number, length: number) => new Float32Array(buffer, address, length);
  const latentStride = tower.latent.stride / 4;
  return {
    numRows: 0,
    minibatchRows: 0,
    distributionParameters: floats(rows.outputs, BLOCK_ROWS * P),
    values: floats(rows.values, BLOCK_ROWS),
    latent: floats(tower.latent.address, shownLatentSize(spec) > 0 ? BLOCK_ROWS * latentStride : 0),
    latentStride,
    logStd: floats(layout.parameters + logStd.offset, logStd.size),
    actions:
      actionDtype(spec.distribution) === 'int32'
        ? new Int32Array(buffer, rows.actions, numActions)
        : floats(rows.actions, numActions),
    masks: new Uint8Array(buffer, rows.masks, BLOCK_ROWS * spec.actionMaskSize),
    oldLogProbs: floats(rows.oldLogProbs, BLOCK_ROWS),
    oldValues: floats(rows.oldValues, BLOCK_ROWS),
    advantages: floats(rows.advantages, BLOCK_ROWS),
    returns: floats(rows.returns, BLOCK_ROWS),
    scalars: scalars.subarray(0, outputGradient.scalarNames.length),
    gradDistributionParameters: floats(rows.gradOutputs, BLOCK_ROWS * P),
    gradValues: floats(rows.gradValues, BLOCK_ROWS),
    gradLogStd: floats(rows.gradLogStd, logStd.size),
    stats: new Float64Array(outputGradient.statNames.length),
  };
}

/** Copies a block's rows of the rollout into scratch, by shuffled index; `start` in the epoch's order. */
function createGather(setup: ThreadContextOptions, rows: RowScratch, words: Int32Array) {
  const { kernels, spec, layout } = setup;
  const A = actionSize(spec.distribution);
  const isBytes = spec.observationDtype === 'uint8' ? 1 : 0;
  const observationStride = spec.observationSize * (isBytes ? 1 : 4);
  const column = (k: number) => words[Word.ADDRESSES + k] >>> 0; // as ADDRESS_COLUMNS
  return (tower: TowerProgram, start: number, numRows: number) => {
    const indices = layout.permutations + 4 * (words[Word.EPOCH] * layout.numSamples + start);
    kernels.gatherObservations(
      column(0),
      observationStride,
      indices,
      numRows,
      spec.observationSize,
      isBytes,
      words[Word.NORMALIZE_OBSERVATIONS] ? layout.observationMean : 0,
      layout.observationInverseStd,
      spec.clipObservation,
      rows.observations.address,
      rows.observations.stride,
    );
    if (tower.hasActor) {
      kernels.gatherWords(column(1), indices, numRows, A, rows.actions);
      if (spec.actionMaskSize > 0)
        kernels.gatherBytes(column(2), indices, numRows, spec.actionMaskSize, rows.masks);
      kernels.gatherWords(column(3), indices, numRows, 1, rows.oldLogProbs);
      kernels.gatherWords(layout.advantages + 4 * start, 0, numRows, 1, rows.advantages);
    }
    if (tower.hasCritic) {
      kernels.gatherWords(column(4), indices, numRows, 1, rows.oldValues);
      kernels.gatherWords(column(5), indices, numRows, 1, rows.returns);
    }
  };
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
    const start = minibatch * size;
    const end = Math.min(numSamples, start + size);
    const normalize = words[Word.NORMALIZE_ADVANTAGES] === 1;
    arrangeAdvantages({ advantages, permutations, first: epoch * numSamples, start, end, normalize, out });
  };
  const arrangeNext = () => {
    const next = words[Word.MINIBATCH] + 1;
    if (next * words[Word.MINIBATCH_SIZE] < numSamples) arrange(words[Word.EPOCH], next);
    else if (words[Word.EPOCH] + 1 < words[Word.NUM_EPOCHS]) arrange(words[Word.EPOCH] + 1, 0);
  };
  return { arrange, arrangeNext };
}

/** The gradient of one group of blocks through one tower, into the group's slab. */
function createGradientItem(setup: ThreadContextOptions, control: ControlViews) {
  const { kernels, arena, spec, layout, outputGradient } = setup;
  const { words, reals } = control;
  const { rows, towers } = createThreadPlan(spec, arena.buffer, layout.threads[setup.threadIndex].offset);
  const chunks = towers.map((tower) => createChunk(setup, rows, tower, control.scalars));
  const gather = createGather(setup, rows, words);
  const numStats = outputGradient.statNames.length;
  const { logStd } = policyLayers(spec);
  const slabLogStd = Array.from({ length: layout.maxGroups }, (_, group) => {
    const address = layout.slabs + group * layout.slabBytes + logStd.offset;
    return new Float32Array(arena.buffer, address, logStd.size);
  });
  // the phase for which a tower's transposed kernels were made, in this thread
  const transposedAt = new Array<number>(towers.length).fill(-1);

  const runBlock = (towerIndex: number, group: number, start: number, numRows: number, isFirst: boolean) => {
    const tower = towers[towerIndex];
    const chunk = chunks[towerIndex];
    gather(tower, start, numRows);
    kernels.forward(tower.address, tower.numRecords, layout.parameters, numRows);
    chunk.numRows = numRows;
    if (tower.hasActor) outputGradient.policy(chunk);
    if (tower.hasCritic) outputGradient.value(chunk);
    const slab = layout.slabs + group * layout.slabBytes;
    kernels.backward(tower.address, tower.numRecords, slab, numRows, isFirst ? 0 : 1);
    if (!tower.hasActor) return;
    const target = slabLogStd[group];
    for (let k = 0; k < target.length; k++)
      target[k] = isFirst ? chunk.gradLogStd[k] : target[k] + chunk.gradLogStd[k];
  };

  const run = (item: number, phase: number) => {
    const { start, rows: minibatchRows } = minibatchRange(words);
    const numGroups = numGroupsFor(minibatchRows);
    const numBlocks = Math.ceil(minibatchRows / BLOCK_ROWS);
    const towerIndex = Math.floor(item / numGroups);
    const group = item % numGroups;
    const tower = towers[towerIndex];
    if (transposedAt[towerIndex] !== phase) {
      kernels.transposeKernels(tower.address, tower.numRecords, layout.parameters);
      transposedAt[towerIndex] = phase;
    }
    const chunk = chunks[towerIndex];
    chunk.minibatchRows = minibatchRows;
    const statsBase = Real.ITEM_STATS + item * MAX_STATS;
    reals.fill(0, statsBase, statsBase + numStats);
    const firstBlock = Math.floor((group * numBlocks) / numGroups);
    const lastBlock = Math.floor(((group + 1) * numBlocks) / numGroups);
    for (let block = firstBlock; block < lastBlock; block++) {
      const first = block * BLOCK_ROWS;
      const numRows = Math.min(BLOCK_ROWS, minibatchRows - first);
      chunk.stats.fill(0);
      runBlock(towerIndex, group, start + first, numRows, block === firstBlock);
      for (let s = 0; s < numStats; s++) reals[statsBase + s] += chunk.stats[s];
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
      const numGroups = numGroupsFor(minibatchRange(words).rows);
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
