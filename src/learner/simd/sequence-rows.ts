/** What a learning thread does with a block of sequences: gathers it, hands its hidden states to the layers behind, takes their gradients. */
import type { Arena } from '../../memory/arena.ts';
import { recurrentStateSize } from '../../policy/networks/recurrent-state.ts';
import type { PolicySpec } from '../../policy/policy-spec.ts';
import type { Kernels } from '../../simd/kernel-exports.ts';
import type { Block } from '../../simd/layer-program.ts';
import type { SequenceShape } from '../epoch-order.ts';
import { SEQUENCE_COLUMNS, Word } from './control.ts';
import type { SimdLearnerLayout } from './layout.ts';
import type { CellPlan, SequenceScratch } from './sequence-plan.ts';

export interface SequenceRows {
  /** Gathers rows [start, start + numRows) of the epoch's order: a block of whole sequences, step by step. */
  load(cell: CellPlan, start: number, numRows: number): void;
  /** Once for each phase: parameters have moved. */
  transpose(cell: CellPlan): void;
  forward(cell: CellPlan): void;
  /** Hidden states of the block's rows [first, first + count) into the tower's input. */
  takeHidden(cell: CellPlan, first: number, count: number): void;
  /** What came back for them. */
  giveGradient(cell: CellPlan, first: number, count: number): void;
  /** @param slab gradients; `isFirst`: overwrites them. */
  backward(cell: CellPlan, slab: number, isFirst: boolean): void;
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
  { length }: SequenceShape,
  words: Int32Array,
  gatherObservations: GatherObservations,
): SequenceRows {
  const { kernels, arena, layout } = setup;
  const { buffer } = arena;
  const floats = new Float32Array(buffer);
  const permutations = new Int32Array(buffer, layout.permutations, layout.maxEpochs * layout.numSamples);
  const loadStates = createStateLoader(setup, scratch, length, words);
  let numSequences = 0; // R of the block
  let stepRows = 0; // P
  const copyRows = (
    from: Block,
    to: Block,
    first: number,
    count: number,
    isGiving: boolean,
    size: number,
  ) => {
    for (let k = 0; k < count; k++) {
      const t = Math.floor((first + k) / numSequences);
      const row = t * stepRows + (first + k - t * numSequences);
      const [source, target] = isGiving ? [k, row] : [row, k];
      const at = (from.address + source * from.stride) >> 2;
      floats.copyWithin((to.address + target * to.stride) >> 2, at, at + size);
    }
  };
  const clearRest = ({ address, stride }: Block) => {
    for (let t = 0; t < length; t++) {
      const begin = (address + (t * stepRows + numSequences) * stride) >> 2;
      floats.fill(0, begin, begin + (((stepRows - numSequences) * stride) >> 2));
    }
  };
  return {
    load({ cell }, start, numRows) {
      numSequences = numRows / length;
      stepRows = Math.ceil(numSequences / 4) * 4;
      const first = words[Word.EPOCH] * words[Word.NUM_SAMPLES] + start;
      const indices = layout.permutations + 4 * first;
      if (stepRows === numSequences) gatherObservations(indices, numRows, scratch.x, 0);
      else {
        for (let t = 0; t < length; t++)
          gatherObservations(indices + 4 * t * numSequences, numSequences, scratch.x, t * stepRows);
        // rows beyond are multiplied by gradients of 0, which only a NaN would survive
        clearRest(scratch.x);
        clearRest(scratch.before);
      }
      loadStates(cell, permutations, first, numSequences, stepRows);
    },
    transpose({ cell, transposed }) {
      const { size, numColumns, stateOffset } = cell;
      const kernel = layout.parameters + stateOffset;
      kernels.transpose(kernel, 4 * numColumns, size, numColumns, transposed.address, transposed.stride);
    },
    forward: ({ address }) => kernels.recurrentForward(address, layout.parameters, length, numSequences),
    takeHidden: ({ hidden, cell }, first, count) =>
      copyRows(scratch.hidden, hidden, first, count, false, cell.size),
    giveGradient: ({ gradHidden, cell }, first, count) =>
      copyRows(gradHidden, scratch.gradHidden, first, count, true, cell.size),
    backward: ({ address }, slab, isFirst) =>
      kernels.recurrentBackward(address, slab, length, numSequences, isFirst ? 0 : 1),
  };
}

/** States that the sequences began with when they were collected, and the marks of episodes that begin inside. */
function createStateLoader(
  { arena: { buffer }, spec }: SequenceRowsSetup,
  { before, cellBefore, continues }: SequenceScratch,
  length: number,
  words: Int32Array,
) {
  const floats = new Float32Array(buffer);
  const bytes = new Uint8Array(buffer);
  const marks = new Int32Array(buffer, continues);
  const stateSize = recurrentStateSize(spec);
  const column = (name: (typeof SEQUENCE_COLUMNS)[number]) =>
    words[Word.SEQUENCE_ADDRESSES + SEQUENCE_COLUMNS.indexOf(name)] >>> 0;
  return (
    { size, state }: CellPlan['cell'],
    permutations: Int32Array,
    first: number,
    numSequences: number,
    stepRows: number,
  ) => {
    const states = column('recurrentStates') >> 2;
    const [terminated, truncated] = [column('terminated'), column('truncated')];
    for (let r = 0; r < numSequences; r++) {
      const from = states + (permutations[first + r] / length) * stateSize;
      const row = r * before.stride;
      floats.copyWithin((before.address + row) >> 2, from + state.hidden, from + state.hidden + size);
      if (state.cell === null) continue;
      floats.copyWithin((cellBefore + row) >> 2, from + state.cell, from + state.cell + size);
    }
    for (let t = 1; t < length; t++) {
      for (let r = 0; r < numSequences; r++) {
        const i = permutations[first + t * numSequences + r] - 1;
        marks[t * stepRows + r] = bytes[terminated + i] === 0 && bytes[truncated + i] === 0 ? 1 : 0;
      }
    }
  };
}
