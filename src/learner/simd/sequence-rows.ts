/** What a learning thread does with a block of sequences: gathers it, hands its hidden states to the layers behind, takes their gradients. */
import type { Arena } from '../../memory/arena.ts';
import type { PolicySpec } from '../../policy/policy-spec.ts';
import type { Kernels } from '../../simd/kernel-exports.ts';
import type { Block } from '../../simd/layer-program.ts';
import type { SequenceShape } from '../epoch-order.ts';
import { Word } from './control.ts';
import type { SimdLearnerLayout } from './layout.ts';
import type { CellsPlan, SequenceScratch } from './sequence-plan.ts';
import { type BlockSize, createStateLoader } from './state-loader.ts';

export interface SequenceRows {
  /** Gathers rows [start, start + numRows) of the epoch's order: a block of whole sequences, step by step. */
  load(cells: CellsPlan, start: number, numRows: number): void;
  /** Once for each phase: parameters have moved. */
  transpose(cells: CellsPlan): void;
  forward(cells: CellsPlan): void;
  /** Hidden states of the block's rows [first, first + count) into the tower's input. */
  takeHidden(cells: CellsPlan, first: number, count: number): void;
  /** What came back for them. */
  giveGradient(cells: CellsPlan, first: number, count: number): void;
  /** @param slab gradients; `isFirst`: overwrites them. */
  backward(cells: CellsPlan, slab: number, isFirst: boolean): void;
}

export interface SequenceRowsSetup {
  readonly kernels: Kernels;
  readonly arena: Arena;
  readonly spec: PolicySpec;
  readonly layout: SimdLearnerLayout;
}

/** A row's observation, wherever rows are gathered to. */
export type GatherObservations = (indices: number, numRows: number, target: Block, offset: number) => void;

export function createSequenceRows(
  setup: SequenceRowsSetup,
  scratch: SequenceScratch,
  { length, burnIn = 0 }: SequenceShape,
  words: Int32Array,
  gatherObservations: GatherObservations,
): SequenceRows {
  const { arena, layout } = setup;
  const permutations = new Int32Array(
    arena.buffer,
    layout.permutations,
    layout.maxEpochs * layout.numSamples,
  );
  const loader = createStateLoader(setup, scratch, words, permutations, length);
  const top = scratch.layers[scratch.layers.length - 1];
  const { size } = scratch.cells[0];
  const block: BlockSize = { numSequences: 0, stepRows: 0 };
  const { copyRows, clearRest } = createRowMover(new Float32Array(arena.buffer), length, block);
  const runs = createCellRuns(setup, length, block);
  return {
    ...runs,
    load(cells, start, numRows) {
      const numSequences = numRows / length;
      const stepRows = Math.ceil(numSequences / 4) * 4;
      block.numSequences = numSequences;
      block.stepRows = stepRows;
      const first = words[Word.EPOCH] * words[Word.NUM_SAMPLES] + start;
      const isPadded = stepRows !== numSequences;
      const gather = (indices: number, numSteps: number) => {
        if (!isPadded) return gatherObservations(indices, numSteps * numSequences, scratch.x, 0);
        for (let t = 0; t < numSteps; t++)
          gatherObservations(indices + 4 * t * numSequences, numSequences, scratch.x, t * stepRows);
      };
      if (isPadded) {
        // rows beyond are multiplied by gradients of 0, which only a NaN would survive
        clearRest(scratch.x);
        for (const { before, hidden } of scratch.layers) {
          clearRest(before);
          clearRest(hidden);
        }
      }
      for (let r = 0; r < numSequences; r++) loader.loadState(cells.cells, r, first);
      if (burnIn > 0) {
        loader.planBurnIn(burnIn, first, block);
        gather(scratch.burnIn, burnIn);
        runs.warmUp(cells, burnIn);
        for (let r = 0; r < numSequences; r++) loader.endBurnIn(cells.cells, r, first);
      }
      gather(layout.permutations + 4 * first, length);
      loader.markEnds(permutations, first, length, block);
    },
    takeHidden: ({ hidden }, first, count) => copyRows(top.hidden, hidden, first, count, false, size),
    giveGradient: ({ gradHidden }, first, count) =>
      copyRows(gradHidden, top.gradHidden, first, count, true, size),
  };
}

type CellRuns = Pick<SequenceRows, 'transpose' | 'forward' | 'backward'> & {
  /** Over the steps of a burn-in: the state after them becomes the first one. */
  warmUp(cells: CellsPlan, numSteps: number): void;
};

/** Hidden layers and cells of one tower over the loaded block. */
function createCellRuns(
  { kernels, layout: { parameters } }: SequenceRowsSetup,
  length: number,
  block: BlockSize,
): CellRuns {
  return {
    warmUp({ cells, before }, numSteps) {
      if (before.records.length > 0)
        kernels.forward(before.address, before.records.length, parameters, numSteps * block.stepRows);
      for (const { warmUp } of cells)
        kernels.recurrentForward(warmUp, parameters, numSteps, block.numSequences);
    },
    transpose({ cells, before }) {
      if (before.records.length > 0)
        kernels.transposeKernels(before.address, before.records.length, parameters);
      for (const { cell, transposed, inputs } of cells) {
        const { size, numColumns, stateOffset } = cell;
        const kernel = parameters + stateOffset;
        kernels.transpose(kernel, 4 * numColumns, size, numColumns, transposed.address, transposed.stride);
        if (inputs !== null) kernels.transposeKernels(inputs.address, 1, parameters);
      }
    },
    forward({ cells, before }) {
      const numRows = length * block.stepRows;
      if (before.records.length > 0)
        kernels.forward(before.address, before.records.length, parameters, numRows);
      for (const { address } of cells)
        kernels.recurrentForward(address, parameters, length, block.numSequences);
    },
    backward({ cells, before }, slab, isFirst) {
      const numRows = length * block.stepRows;
      const accumulates = isFirst ? 0 : 1;
      for (let layer = cells.length - 1; layer >= 0; layer--) {
        const { address, inputs } = cells[layer];
        kernels.recurrentBackward(address, slab, length, block.numSequences, accumulates);
        if (inputs !== null) kernels.backward(inputs.address, 1, 0, numRows, 0);
      }
      if (before.records.length > 0)
        kernels.backward(before.address, before.records.length, slab, numRows, accumulates);
    },
  };
}

/** Rows between a block of sequences, step by step and padded, and the dense portions that layers take. */
function createRowMover(floats: Float32Array, length: number, block: BlockSize) {
  return {
    copyRows(from: Block, to: Block, first: number, count: number, isGiving: boolean, width: number): void {
      const { numSequences, stepRows } = block;
      for (let k = 0; k < count; k++) {
        const t = Math.floor((first + k) / numSequences);
        const row = t * stepRows + (first + k - t * numSequences);
        const [source, target] = isGiving ? [k, row] : [row, k];
        const at = (from.address + source * from.stride) >> 2;
        floats.copyWithin((to.address + target * to.stride) >> 2, at, at + width);
      }
    },
    clearRest({ address, stride }: Block): void {
      const { numSequences, stepRows } = block;
      for (let t = 0; t < length; t++) {
        const begin = (address + (t * stepRows + numSequences) * stride) >> 2;
        floats.fill(0, begin, begin + (((stepRows - numSequences) * stride) >> 2));
      }
    },
  };
}
