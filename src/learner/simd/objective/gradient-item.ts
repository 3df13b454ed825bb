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

/** @returns what computes item `item` of step `step` into the item's slab, statistics and row outputs. */
export function createGradientItem(
  setup: ObjectiveThreadSetup,
  control: ControlViews,
  reals: Float64Array,
  index: RealIndex,
): (step: number, item: number, phase: number) => void {
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
  return (step, item, phase) => {
    const numRows = words[Word.NUM_ROWS];
    const { numBlocks, blockRows, numGroups } = planBlocks(numRows, objective);
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
      keepFree(step, item, block === firstBlock);
      if (step === 0) keepRowOutputs();
    }
    flowToDeviations(item);
  };
}

/** Adds a block's gradients of a step's free parameters to its item's slab; the first block's overwrite it. */
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
  return (step: number, item: number, isFirst: boolean): void => {
    const slab = slabs[item];
    for (const { offset, gradient } of free[step]) {
      for (let k = 0; k < gradient.length; k++)
        slab[offset + k] = gradient[k] + (isFirst ? 0 : slab[offset + k]);
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
