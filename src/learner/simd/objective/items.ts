/** What a work item of an objective's step computes. One of these per thread; it owns the thread's scratch. */
import { type ModelSpec, modelLayout, type ParameterRange } from '../../../policy/networks/model.ts';
import type { ObjectiveSpec } from '../../objective.ts';
import { type ControlViews, MAX_ITEMS, MAX_STATS, openControl } from '../control.ts';
import { createGradientItem, type ObjectiveThreadSetup } from './gradient-item.ts';
import { planBlocks, realsOf } from './layout.ts';
import { GroupReal, type RealIndex } from './reals.ts';
import type { GroupSlices, ObjectiveLayout } from './regions.ts';
import { numSlabs } from './slabs.ts';
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
  /** Names of the groups' gradient norms, as they are told. */
  readonly normNames: readonly string[];
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
  /** f64: a step's means of statistics, then its groups' norms, while it is prepared. */
  readonly numbers: Float64Array;
  gradient(step: number, item: number, phase: number): void;
  reduce(step: number, share: number): void;
  adam(step: number, share: number): void;
  blend(step: number, share: number): void;
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
      normNames: groups.map((name) => `gradNorm/${name}`),
      firstStat: firstStat - stats.length,
      numStats: stats.length,
      slices: indices.flatMap((g) => slicesOf(layout.groups[g], g)),
      blends: blends.flatMap(({ target, tau }) =>
        blendsOf(ranges[target], ranges[model.targets[target]], objective.scalars.indexOf(tau)),
      ),
    };
  });
}

/** Whether a piece lies `bytes` behind another at both ends, and moves as far. */
function continuesBlend(first: BlendWork, bytes: number, { target, source, tau }: BlendWork): boolean {
  return target === first.target + bytes && source === first.source + bytes && tau === first.tau;
}

/** [first, end) of a share of `numPieces` pieces. */
function shareOf(share: number, numPieces: number, words: Int32Array): readonly [number, number] {
  const shares = numShares(numPieces, words);
  return [Math.floor((share * numPieces) / shares), Math.floor(((share + 1) * numPieces) / shares)];
}

/** Moves a share of a step's targets; pieces that are neighbours at both ends in one call. */
function createBlend(
  { kernels, layout }: ObjectiveThreadSetup,
  { words, scalars }: ControlViews,
  work: readonly StepWork[],
): ObjectiveThread['blend'] {
  return (step, share) => {
    const { blends } = work[step];
    const [first, end] = shareOf(share, blends.length, words);
    for (let k = first, next = first; k < end; k = next) {
      const { target, source, tau } = blends[k];
      let bytes = 0;
      for (; next < end && continuesBlend(blends[k], bytes, blends[next]); next++)
        bytes += blends[next].bytes;
      kernels.blendSlice(layout.parameters + target, layout.parameters + source, bytes, scalars[tau]);
    }
  };
}

/** Makes what a thread needs to take part; costs a few views, no arena memory beyond the layout's. */
export function createObjectiveThread(setup: ObjectiveThreadSetup): ObjectiveThread {
  const { kernels, arena, model, objective, layout } = setup;
  const control = openControl(arena.buffer, layout.control.offset);
  const { words } = control;
  const index = realsOf(objective, layout.groups);
  const reals = new Float64Array(arena.buffer, layout.reals.offset, index.length);
  const work = planWork(model, objective, layout);
  const { compute, addsInPlace } = createGradientItem(setup, control, reals, index);
  const adam = (offset: number, bytes: number, group: number) => {
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
    numbers: new Float64Array(MAX_STATS + layout.groups.length),
    gradient: compute,
    reduce(step, share) {
      const count = numSlabs(planBlocks(words[Word.NUM_ROWS], objective), words, addsInPlace);
      const { slices } = work[step];
      const [first, end] = shareOf(share, slices.length, words);
      for (let k = first; k < end; k++) {
        const { offset, bytes } = slices[k];
        const squares = kernels.reduceSlice(layout.slabs + offset, layout.slabBytes, count, bytes);
        reals[index.sliceSum(slices[k].index)] = squares;
      }
    },
    adam(step, share) {
      const { slices } = work[step];
      const [first, end] = shareOf(share, slices.length, words);
      for (let k = first, next = first; k < end; k = next) {
        const { offset, group } = slices[k];
        let bytes = 0; // neighbours of a group in one call: Adam goes element by element
        for (; next < end && slices[next].group === group; next++) bytes += slices[next].bytes;
        adam(offset, bytes, group);
      }
    },
    blend: createBlend(setup, control, work),
  };
}
