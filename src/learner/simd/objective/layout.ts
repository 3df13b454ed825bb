/** Lays out an objective learner's memory in the arena, and cuts batches and parameters into what threads share. */
import type { ArenaPlanner } from '../../../memory/arena.ts';
import { type ModelSpec, modelLayout, type ParameterRange } from '../../../policy/networks/model.ts';
import { createParameterNoise } from '../../../policy/networks/parameter-noise.ts';
import { checkObjective } from '../../check-objective.ts';
import {
  MAX_BLOCK_ROWS,
  type ObjectiveSpec,
  type OpenObjective,
  type OptimizerGroup,
} from '../../objective.ts';
import { CONTROL_BYTES, MAX_SCALARS, MAX_STATS } from '../control.ts';
import { indexReals, type RealIndex } from './reals.ts';
import type { GroupSlices, ObjectiveLayout } from './regions.ts';
import { measureScratch } from './row-space.ts';
import { MAX_STEPS } from './words.ts';

/** A batch's blocks are summed in at most this many groups; part of the arithmetic, so it never follows the machine. */
const MAX_BLOCK_GROUPS = 8;
const BOUNDS = { maxStats: MAX_STATS, maxScalars: MAX_SCALARS, maxSteps: MAX_STEPS };
const MAX_SLICES = 16;
const SLICE_ELEMENTS = 1024;
const BYTES = { float32: 4, int32: 4, uint8: 1 };
/** Kernels load up to 15 elements past a tensor. */
const PADDING = 64;

/** How a batch of B rows is cut: whole sequences as the objective says, else into blocks of equal size, two where that gives a second thread something to do. */
export interface BlockPlan {
  readonly numBlocks: number;
  /** A multiple of four; the last block has what is left. */
  readonly blockRows: number;
  readonly numGroups: number;
}

export function planBlocks(numRows: number, { sequences }: Pick<ObjectiveSpec, 'sequences'>): BlockPlan {
  if (sequences !== undefined) {
    const blockRows = sequences.length * sequences.perBlock;
    const numBlocks = numRows / blockRows;
    return { numBlocks, blockRows, numGroups: Math.min(MAX_BLOCK_GROUPS, numBlocks) };
  }
  const wanted = Math.max(Math.ceil(numRows / MAX_BLOCK_ROWS), numRows >= 32 ? 2 : 1);
  const blockRows = Math.min(MAX_BLOCK_ROWS, 4 * Math.ceil(numRows / wanted / 4));
  const numBlocks = Math.ceil(numRows / blockRows);
  return { numBlocks, blockRows, numGroups: Math.min(MAX_BLOCK_GROUPS, numBlocks) };
}

/** Its networks are neighbours: `checkObjective` has looked. */
function groupRange(
  { networks }: OptimizerGroup,
  ranges: Readonly<Record<string, ParameterRange>>,
): ParameterRange {
  const size = networks.reduce((sum, name) => sum + ranges[name].size, 0);
  return { offset: ranges[networks[0]].offset, size };
}

function cutIntoSlices(
  objective: ObjectiveSpec,
  ranges: Readonly<Record<string, ParameterRange>>,
): GroupSlices[] {
  let firstSlice = 0;
  return objective.groups.map((group) => {
    const range = groupRange(group, ranges);
    const numSlices = Math.min(MAX_SLICES, Math.max(1, Math.ceil(range.size / SLICE_ELEMENTS)));
    const slices = {
      group,
      range,
      numSlices,
      sliceBytes: 64 * Math.ceil(range.size / 16 / numSlices),
      firstSlice,
    };
    firstSlice += numSlices;
    return slices;
  });
}

/** Where shared float64 numbers lie. */
export function realsOf(objective: ObjectiveSpec, groups: readonly GroupSlices[]): RealIndex {
  const numSlices = groups.reduce((sum, group) => sum + group.numSlices, 0);
  return indexReals(groups.length, objective.steps.length, numSlices, MAX_BLOCK_GROUPS);
}

/**
 * Reserves the learner's memory in a plan, before the arena exists.
 *
 * @param open the closed form, opened once here to see what scratch it needs.
 * @param maxThreads threads that may take part, the main one included. More threads change speed, never results.
 * @throws EngineError `ENGINE_OBJECTIVE`.
 */
export function reserveObjective(
  planner: ArenaPlanner,
  model: ModelSpec,
  objective: ObjectiveSpec,
  open: OpenObjective,
  maxBatchSize: number,
  maxThreads = 1,
): ObjectiveLayout {
  checkObjective(model, objective, BOUNDS);
  const { size, trainedSize, ranges } = modelLayout(model);
  const take = (bytes: number) => planner.reserve(bytes + PADDING).offset;
  const groups = cutIntoSlices(objective, ranges);
  const largestInput = Math.max(1, ...Object.values(model.inputs).map((input) => input.size));
  const slabBytes = 64 * Math.ceil((4 * trainedSize + PADDING) / 64);
  const scratchBytes = measureScratch(model, objective, open);
  return {
    maxBatchSize,
    parameters: take(4 * size),
    trainedSize,
    m: take(4 * trainedSize),
    v: take(4 * trainedSize),
    slabs: take(slabBytes * planBlocks(maxBatchSize, objective).numGroups),
    slabBytes,
    groups,
    columns: objective.columns.map((column) => ({
      ...column,
      address: take(maxBatchSize * column.size * BYTES[column.dtype]),
    })),
    noises: (objective.noises ?? []).map(({ name, network }) => ({
      ...{ name, network },
      factors: take(4 * createParameterNoise(model, network).size),
      perturbed: take(4 * ranges[network].size),
    })),
    rowOutputs: objective.rowOutputs.map(() => take(4 * maxBatchSize)),
    observationMean: take(4 * largestInput),
    observationInverseStd: take(4 * largestInput),
    control: planner.reserve(CONTROL_BYTES),
    reals: planner.reserve(8 * realsOf(objective, groups).length),
    threads: Array.from({ length: maxThreads }, () => planner.reserve(scratchBytes)),
  };
}
