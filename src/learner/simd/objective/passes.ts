/** Ways through networks: programs of the kernels over a thread's scratch. */
import { inputParts, type ModelSpec, networkNamed, widthOf } from '../../../policy/networks/model.ts';
import type { Kernels } from '../../../simd/kernel-exports.ts';
import { type LayerRecord, RECORD_BYTES, writeProgram } from '../../../simd/layer-program.ts';
import { DROPOUT_SEEDS } from '../../dropout.ts';
import type { Pass, PassOptions } from '../../objective.ts';
import type { ThreadColumns } from './columns.ts';
import { createMasks } from './masks.ts';
import { createNoisePlan } from './noise-plan.ts';
import type { Packing } from './packing.ts';
import { openPassCell, type PassCell, type PassedModel } from './pass-cell.ts';
import { dropoutOf, type PassPlan, planPass, type SharedBlocks, scratchBlock } from './pass-plan.ts';
import type { ObjectiveLayout } from './regions.ts';
import type { ThreadJob } from './thread-job.ts';
import type { ThreadScratch } from './thread-scratch.ts';

interface Program {
  readonly address: number;
  readonly count: number;
}

function placeProgram(scratch: ThreadScratch, records: readonly LayerRecord[]): Program {
  const address = scratch.take(RECORD_BYTES * records.length);
  if (scratch.isReal) writeProgram(scratch.buffer, address, records);
  return { address, count: records.length };
}

/** The widest hidden layer of any network: what shared blocks must hold. */
function widestHidden(model: ModelSpec): number {
  return Math.max(1, ...Object.values(model.networks).flatMap(({ trunk }) => trunk.hiddenSizes));
}

function viewsOf(plan: PassPlan, outputs: number, scratch: ThreadScratch) {
  const length = scratch.blockRows * outputs;
  return {
    outputs: scratch.floats(plan.outputs.address, length),
    gradOutputs: scratch.floats(plan.gradOutputs?.address ?? 0, plan.gradOutputs === null ? 0 : length),
    latent: scratch.floats(plan.latent.address, (scratch.blockRows * plan.latent.stride) / 4),
    latentStride: plan.latent.stride / 4,
  };
}

/** Where gradients of a pass's inputs lie; nowhere without. Of what a cell reads there are none. */
function createInputGradient(
  { network }: PassOptions,
  model: ModelSpec,
  { gradInput }: PassPlan,
  cell: PassCell | null,
  scratch: ThreadScratch,
): Pass['inputGradient'] {
  const { first, beside } = inputParts(networkNamed(model, network));
  const stride = (gradInput?.stride ?? 0) / 4;
  const values = scratch.floats(gradInput?.address ?? 0, scratch.blockRows * stride);
  return (k) => {
    if (cell === null) return { values, offset: widthOf(model, first.slice(0, k)), stride };
    if (k < first.length) throw new TypeError(`Expected no gradient of what the cell of ${network} reads.`);
    return {
      values,
      offset: cell.hiddenBytes / 4 + widthOf(model, beside.slice(0, k - first.length)),
      stride,
    };
  };
}

/** What draws the masks of a pass with dropout; null = it drops nothing. */
function openMasks(
  options: PassOptions,
  { masks }: PassPlan,
  model: ModelSpec,
  columns: ThreadColumns,
  scratch: ThreadScratch,
) {
  const dropout = dropoutOf(options, model);
  if (dropout === null) return null;
  const seeds = columns.open(DROPOUT_SEEDS, 'int32') as Int32Array;
  return createMasks(masks, dropout.rate, dropout.draw, seeds, scratch);
}

export interface Passes {
  /** Makes a pass of the thread. */
  pass(options: PassOptions): Pass;
  /** Noises of the passes made so far that have a gradient of their parameters. */
  readonly noisyGradients: readonly string[];
  /** Networks to whose parameters' gradient more than one of the passes made so far adds. */
  readonly sharedGradients: readonly string[];
}

export function createPasses(
  passed: PassedModel,
  layout: ObjectiveLayout | null,
  kernels: Kernels | null,
  { packing, columns }: { readonly packing: Packing; readonly columns: ThreadColumns },
  scratch: ThreadScratch,
  job: ThreadJob,
): Passes {
  const { model, objective, layout: modelLayout } = passed;
  const width = widestHidden(model);
  const shared: SharedBlocks = {
    hidden: [scratchBlock(scratch, width), scratchBlock(scratch, width)],
    gradients: [scratchBlock(scratch, width), scratchBlock(scratch, width)],
    transposed: new Map(),
    gains: new Map(),
  };
  // by network: the phase for which its kernels were transposed, the item for which its slab was written
  const transposedAt = new Map<string, number>();
  const writtenAt = new Map<string, number>();
  const trained = new Set<string>();
  const sharedGradients: string[] = [];
  const { parametersOf, noteGradient, noisyGradients } = createNoisePlan(objective, modelLayout, layout);

  const pass = (options: PassOptions): Pass => {
    const { network: name, gradient = 'none' } = options;
    const parameters = parametersOf(options);
    const network = networkNamed(model, name);
    const input = packing.inputsOf(options);
    const cell = openPassCell(options, input.block, passed, columns, kernels, shared, scratch);
    const packBeside = cell === null ? null : packing.besideCell(options, cell.hidden, cell.hiddenBytes);
    const plan = planPass(options, input.block, model, modelLayout, shared, scratch, cell);
    const program = placeProgram(scratch, plan.records);
    const drawMasks = openMasks(options, plan, model, columns, scratch);
    const isTrained = gradient === 'parameters' || gradient === 'both';
    if (gradient !== 'none') noteGradient(options);
    if (isTrained && trained.has(name)) sharedGradients.push(name);
    if (isTrained) trained.add(name);
    const openGradient = createInputGradient(options, model, plan, cell, scratch);
    const transposeKey = `${name} ${plan.gradInput === null ? 'hidden' : 'all'}`;
    return {
      ...viewsOf(plan, network.outputs, scratch),
      inputGradient: openGradient,
      forward(numRows) {
        input.pack();
        drawMasks?.(numRows);
        cell?.forward(parameters);
        packBeside?.();
        kernels?.forward(program.address, program.count, parameters, numRows);
      },
      backward(numRows) {
        if (transposedAt.get(transposeKey) !== job.phase) {
          kernels?.transposeKernels(program.address, program.count, parameters);
          cell?.transpose(parameters);
          transposedAt.set(transposeKey, job.phase);
        }
        const isFirst = writtenAt.get(name) !== job.item;
        if (isTrained) writtenAt.set(name, job.item);
        kernels?.backward(program.address, program.count, isTrained ? job.slab : 0, numRows, isFirst ? 0 : 1);
        if (isTrained) cell?.backward(job.slab, isFirst);
      },
    };
  };
  return { pass, noisyGradients, sharedGradients };
}
