/** What a work item of an objective's step computes. One of these per thread; it owns the thread's scratch. */
import type { Arena } from '../../../memory/arena.ts';
import { type ModelSpec, modelLayout, type ParameterRange } from '../../../policy/networks/model.ts';
import type { Kernels } from '../../../simd/kernel-exports.ts';
import type { ObjectiveSpec, OpenObjective } from '../../objective.ts';
import { type ControlViews, MAX_ITEMS, openControl } from '../control.ts';
import { planBlocks, realsOf } from './layout.ts';
import { createDeviationFlow } from './perturbation.ts';
import { GroupReal, type RealIndex } from './reals.ts';
import type { GroupSlices, ObjectiveLayout } from './regions.ts';
import { createThreadRows } from './row-space.ts';
import { ObjectiveWord as Word } from './words.ts';

/** A slice of the flat vector that one item reduces, steps or blends; in bytes from the first parameter. */
export interface Slice {
  readonly offset: number;
  readonly bytes: number;
  readonly group: number;
  /** Among all slices of the objective. */
  readonly index: number;
}

/** One step's work, from the layout. */
export interface StepWork {
  readonly groups: readonly number[];
  /** Of its first statistic among all. */
  readonly firstStat: number;
  readonly numStats: number;
  readonly slices: readonly Slice[];
  readonly blends: readonly BlendWork[];
}

/** A piece of a target. */
export interface BlendWork {
  readonly target: number;
  readonly source: number;
  readonly bytes: number;
  /** Index among the scalars. */
  readonly tau: number;
}

export interface ObjectiveThread {
  readonly threadIndex: number;
  readonly control: ControlViews;
  readonly reals: Float64Array;
  readonly index: RealIndex;
  readonly objective: ObjectiveSpec;
  readonly layout: ObjectiveLayout;
  readonly work: readonly StepWork[];
  /** f32 [trainedSize]: where a step's gradient stands between reduction and Adam. */
  readonly summedGradient: Float32Array;
  gradient(step: number, item: number, phase: number): void;
  reduce(step: number, share: number): void;
  adam(step: number, share: number): void;
  blend(step: number, share: number): void;
}

export interface ObjectiveThreadSetup {
  readonly kernels: Kernels;
  readonly arena: Arena;
  readonly model: ModelSpec;
  readonly objective: ObjectiveSpec;
  readonly open: OpenObjective;
  readonly layout: ObjectiveLayout;
  readonly threadIndex: number;
}

/** Items of a reduction, of Adam and of blends: every thread gets two shares. A claim costs 0.1 us, a slice's work about 1. */
export function numShares(numPieces: number, words: Int32Array): number {
  return Math.min(numPieces, MAX_SHARES, 2 * words[Word.NUM_THREADS]);
}

function slicesOf({ range, numSlices, sliceBytes, firstSlice }: GroupSlices, group: number): Slice[] {
  const end = 4 * (range.offset + range.size);
  return Array.from({ length: numSlices }, (_, k) => {
    const offset = Math.min(end, 4 * range.offset + k * sliceBytes);
    return { offset, bytes: Math.min(sliceBytes, end - offset), group, index: firstSlice + k };
  });
}

const BLEND_BYTES = 16384;
const MAX_SHARES = MAX_ITEMS - 1;

function blendsOf(target: ParameterRange, source: ParameterRange, tau: number): BlendWork[] {
  const total = 4 * target.size;
  return Array.from({ length: Math.ceil(total / BLEND_BYTES) }, (_, k) => ({
    target: 4 * target.offset + k * BLEND_BYTES,
    source: 4 * source.offset + k * BLEND_BYTES,
    bytes: Math.min(BLEND_BYTES, total - k * BLEND_BYTES),
    tau,
  }));
}

function planWork(model: ModelSpec, objective: ObjectiveSpec, layout: ObjectiveLayout): StepWork[] {
  const { ranges } = modelLayout(model);
  let firstStat = 0;
  return objective.steps.map(({ groups, blends, stats }) => {
    firstStat += stats.length;
    const indices = groups.map((name) => objective.groups.findIndex((group) => group.name === name));
    return {
      groups: indices,
      firstStat: firstStat - stats.length,
      numStats: stats.length,
      slices: indices.flatMap((g) => slicesOf(layout.groups[g], g)),
      blends: blends.flatMap(({ target, tau }) =>
        blendsOf(ranges[target], ranges[model.targets[target]], objective.scalars.indexOf(tau)),
      ),
    };
  });
}

/** [first, end) of a share of `numPieces` pieces. */
function shareOf(share: number, numPieces: number, words: Int32Array): readonly [number, number] {
  const shares = numShares(numPieces, words);
  return [Math.floor((share * numPieces) / shares), Math.floor(((share + 1) * numPieces) / shares)];
}

/** The gradient of one group of blocks, into the group's slab. */
function createGradientItem(
  setup: ObjectiveThreadSetup,
  control: ControlViews,
  reals: Float64Array,
  index: RealIndex,
) {
  const { arena, model, objective, layout, kernels } = setup;
  const { words, scalars } = control;
  const base = layout.threads[setup.threadIndex].offset;
  const memory = {
    buffer: arena.buffer,
    kernels,
    layout,
    scalars: scalars.subarray(0, objective.scalars.length),
    base,
  };
  const rows = createThreadRows(model, objective, setup.open, memory);
  const { job, stats } = rows;
  const { ranges } = modelLayout(model);
  const rowOutputs = layout.rowOutputs.map(
    (address) => new Float32Array(arena.buffer, address, layout.maxBatchSize),
  );
  const free = objective.steps.map(({ groups }) => {
    const stepped = objective.groups.filter(({ name }) => groups.includes(name));
    return [...rows.free]
      .filter(([name]) => stepped.some(({ networks }) => networks.includes(name)))
      .map(([name, { gradient }]) => ({ offset: ranges[name].offset, gradient }));
  });
  const slabs = Array.from(
    { length: planBlocks(layout.maxBatchSize).numGroups },
    (_, group) => new Float32Array(arena.buffer, layout.slabs + group * layout.slabBytes, layout.trainedSize),
  );
  const keepFree = (step: number, slab: Float32Array, isFirst: boolean) => {
    for (const { offset, gradient } of free[step]) {
      for (let k = 0; k < gradient.length; k++)
        slab[offset + k] = gradient[k] + (isFirst ? 0 : slab[offset + k]);
    }
  };
  const flowToDeviations = createDeviationFlow(model, layout, rows.noisyGradients, kernels);
  const keepRowOutputs = () => {
    rowOutputs.forEach((output, k) => {
      for (let r = 0; r < job.numRows; r++) output[job.start + r] = rows.rowOutputs[k][r];
    });
  };
  return (step: number, item: number, phase: number): void => {
    const numRows = words[Word.NUM_ROWS];
    const { numBlocks, blockRows, numGroups } = planBlocks(numRows);
    job.phase = phase;
    job.item += 1;
    job.slab = layout.slabs + item * layout.slabBytes;
    job.isNormalized = words[Word.IS_NORMALIZED] === 1;
    const statsAt = index.itemStats(item);
    reals.fill(0, statsAt, statsAt + stats.length);
    const firstBlock = Math.floor((item * numBlocks) / numGroups);
    const lastBlock = Math.floor(((item + 1) * numBlocks) / numGroups);
    for (let block = firstBlock; block < lastBlock; block++) {
      job.block += 1;
      job.start = block * blockRows;
      job.numRows = Math.min(blockRows, numRows - job.start);
      rows.load();
      rows.steps[step](job.numRows, numRows);
      for (let s = 0; s < stats.length; s++) reals[statsAt + s] += stats[s];
      keepFree(step, slabs[item], block === firstBlock);
      if (step === 0) keepRowOutputs();
    }
    flowToDeviations(item);
  };
}

/** Makes what a thread needs to take part; costs a few views, no arena memory beyond the layout's. */
export function createObjectiveThread(setup: ObjectiveThreadSetup): ObjectiveThread {
  const { kernels, arena, model, objective, layout } = setup;
  const control = openControl(arena.buffer, layout.control.offset);
  const { words, scalars } = control;
  const index = realsOf(objective, layout.groups);
  const reals = new Float64Array(arena.buffer, layout.reals.offset, index.length);
  const work = planWork(model, objective, layout);
  const adam = ({ offset, bytes, group }: Slice) => {
    const { adamBeta1, adamBeta2, adamEpsilon } = layout.groups[group].group;
    const at = index.group(group);
    kernels.adamSlice(
      layout.parameters + offset,
      layout.slabs + offset,
      layout.m + offset,
      layout.v + offset,
      bytes,
      reals[at + GroupReal.SCALE],
      adamBeta1,
      1 - adamBeta1,
      adamBeta2,
      1 - adamBeta2,
      reals[at + GroupReal.STEP_SIZE],
      reals[at + GroupReal.ROOT_CORRECTION],
      adamEpsilon,
      reals[at + GroupReal.DECAY],
    );
  };
  return {
    threadIndex: setup.threadIndex,
    control,
    reals,
    index,
    objective,
    layout,
    work,
    summedGradient: new Float32Array(arena.buffer, layout.slabs, layout.trainedSize),
    gradient: createGradientItem(setup, control, reals, index),
    reduce(step, share) {
      const { numGroups } = planBlocks(words[Word.NUM_ROWS]);
      const { slices } = work[step];
      const [first, end] = shareOf(share, slices.length, words);
      for (let k = first; k < end; k++) {
        const { offset, bytes } = slices[k];
        const squares = kernels.reduceSlice(layout.slabs + offset, layout.slabBytes, numGroups, bytes);
        reals[index.sliceSum(slices[k].index)] = squares;
      }
    },
    adam(step, share) {
      const { slices } = work[step];
      const [first, end] = shareOf(share, slices.length, words);
      for (let k = first; k < end; k++) adam(slices[k]);
    },
    blend(step, share) {
      const { blends } = work[step];
      const [first, end] = shareOf(share, blends.length, words);
      for (let k = first; k < end; k++) {
        const { target, source, bytes, tau } = blends[k];
        kernels.blendSlice(layout.parameters + target, layout.parameters + source, bytes, scalars[tau]);
      }
    },
  };
}
