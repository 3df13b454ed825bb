/** The work item that costs the most: the gradient of one group of a batch's blocks. */
import type { Arena } from '../../../memory/arena.ts';
import { type ModelSpec, modelLayout } from '../../../policy/networks/model.ts';
import type { Kernels } from '../../../simd/kernel-exports.ts';
import type { ObjectiveSpec, OpenObjective } from '../../objective.ts';
import type { ControlViews } from '../control.ts';
import { planBlocks } from './layout.ts';
import { createDeviationFlow } from './perturbation.ts';
import type { RealIndex } from './reals.ts';
import type { ObjectiveLayout } from './regions.ts';
import { createThreadRows, type ThreadRows } from './row-space.ts';
import { canAddInPlace, numSlabs } from './slabs.ts';
import { ObjectiveWord as Word } from './words.ts';

export interface ObjectiveThreadSetup {
  readonly kernels: Kernels;
  readonly arena: Arena;
  readonly model: ModelSpec;
  readonly objective: ObjectiveSpec;
  readonly open: OpenObjective;
  readonly layout: ObjectiveLayout;
  readonly threadIndex: number;
}

export interface GradientItem {
  /** Computes item `item` of step `step` into its slab, statistics and row outputs. */
  compute(step: number, item: number, phase: number): void;
  /** Whether a thread that is alone has one slab for all items (`slabs.ts`). */
  readonly addsInPlace: boolean;
}

export function createGradientItem(
  setup: ObjectiveThreadSetup,
  control: ControlViews,
  reals: Float64Array,
  index: RealIndex,
): GradientItem {
  const { arena, model, objective, layout, kernels } = setup;
  const { words } = control;
  const memory = {
    buffer: arena.buffer,
    kernels,
    layout,
    scalars: control.scalars.subarray(0, objective.scalars.length),
    base: layout.threads[setup.threadIndex].offset,
  };
  const rows = createThreadRows(model, objective, setup.open, memory);
  const { job, stats } = rows;
  const keepFree = createFreeGradients(setup, rows);
  const keepRowOutputs = createRowOutputs(setup, rows);
  const flowToDeviations = createDeviationFlow(model, layout, rows.noisyGradients, kernels);
  const addsInPlace = canAddInPlace(objective, rows);
  const compute = (step: number, item: number, phase: number): void => {
    const numRows = words[Word.NUM_ROWS];
    const plan = planBlocks(numRows, objective);
    const { numBlocks, blockRows, numGroups } = plan;
    const slab = numSlabs(plan, words, addsInPlace) === 1 ? 0 : item;
    job.phase = phase;
    if (slab === item) job.item += 1;
    job.slab = layout.slabs + slab * layout.slabBytes;
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
      keepFree(step, slab, block === firstBlock, slab < item);
      if (step === 0) keepRowOutputs();
    }
    flowToDeviations(item);
  };
  return { compute, addsInPlace };
}

/** Adds a block's gradients of a step's free parameters to a slab; those of an item's first block overwrite it, unless the slab is that of earlier items, too. */
function createFreeGradients({ arena, model, objective, layout }: ObjectiveThreadSetup, rows: ThreadRows) {
  const { ranges } = modelLayout(model);
  const free = objective.steps.map(({ groups }) => {
    const stepped = objective.groups.filter(({ name }) => groups.includes(name));
    return [...rows.free]
      .filter(([name]) => stepped.some(({ networks }) => networks.includes(name)))
      .map(([name, { gradient }]) => ({ offset: ranges[name].offset, gradient }));
  });
  const slabs = Array.from(
    { length: planBlocks(layout.maxBatchSize, objective).numGroups },
    (_, group) => new Float32Array(arena.buffer, layout.slabs + group * layout.slabBytes, layout.trainedSize),
  );
  return (step: number, index: number, isFirst: boolean, isShared: boolean): void => {
    const slab = slabs[index];
    for (const { offset, gradient } of free[step]) {
      for (let k = 0; k < gradient.length; k++) {
        const at = offset + k;
        // rounded before it is added, as it would be in a slab of its own
        if (isShared) slab[at] += Math.fround(gradient[k]);
        else slab[at] = gradient[k] + (isFirst ? 0 : slab[at]);
      }
    }
  };
}

/** Copies the block's row outputs to where the loop reads them. */
function createRowOutputs({ arena, layout }: ObjectiveThreadSetup, { job, rowOutputs }: ThreadRows) {
  const outputs = layout.rowOutputs.map(
    (address) => new Float32Array(arena.buffer, address, layout.maxBatchSize),
  );
  return (): void => {
    outputs.forEach((output, k) => {
      for (let r = 0; r < job.numRows; r++) output[job.start + r] = rowOutputs[k][r];
    });
  };
}
