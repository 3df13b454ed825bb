/** What the sequences of a block begin with: states that were kept, run through a burn-in or not, and marks of the episodes that begin inside. */
import type { Arena } from '../../memory/arena.ts';
import { recurrentStateSize } from '../../policy/networks/recurrent-state.ts';
import type { PolicySpec } from '../../policy/policy-spec.ts';
import { SEQUENCE_COLUMNS, Word } from './control.ts';
import type { CellPlan, SequenceScratch } from './sequence-plan.ts';

/** Of the block that was loaded last. */
export interface BlockSize {
  /** R. */
  numSequences: number;
  /** P, R rounded up to four. */
  stepRows: number;
}

/** Sequences r of a block are those whose first rows are `permutations[first + r]`. */
export interface StateLoader {
  /** The state that was kept for sequence r, into the first step's rows of all layers. */
  loadState(cells: readonly CellPlan[], r: number, first: number): void;
  /**
   * Rows of the steps before the sequences, step by step, into `scratch.burnIn`, and their marks. A sequence at the beginning of a rollout's row has none, and
   * is given its first row instead.
   */
  planBurnIn(burnIn: number, first: number, block: Readonly<BlockSize>): void;
  /** After the burn-in has run: 0 where an episode ended just before the sequence, the state that was kept where nothing is before it. */
  endBurnIn(cells: readonly CellPlan[], r: number, first: number): void;
  /** 0 at rows where an episode begins, of steps 1 and on. @param rows i32, flat indices, step by step from `first` on. */
  markEnds(rows: Int32Array, first: number, numSteps: number, block: Readonly<BlockSize>): void;
}

export function createStateLoader(
  { arena: { buffer }, spec }: { readonly arena: Arena; readonly spec: PolicySpec },
  { continues, layers, burnIn: burnInAddress }: SequenceScratch,
  words: Int32Array,
  permutations: Int32Array,
  length: number,
): StateLoader {
  const floats = new Float32Array(buffer);
  const bytes = new Uint8Array(buffer);
  const integers = new Int32Array(buffer);
  const stateSize = recurrentStateSize(spec);
  const column = (name: (typeof SEQUENCE_COLUMNS)[number]) =>
    words[Word.SEQUENCE_ADDRESSES + SEQUENCE_COLUMNS.indexOf(name)] >>> 0;
  const isEnd = (i: number) => bytes[column('terminated') + i] !== 0 || bytes[column('truncated') + i] !== 0;
  const hasBurnIn = (i: number) => i % words[Word.ROLLOUT_LENGTH] !== 0;
  const loadState: StateLoader['loadState'] = (cells, r, first) => {
    const from = (column('recurrentStates') >> 2) + (permutations[first + r] / length) * stateSize;
    for (let layer = 0; layer < cells.length; layer++) {
      const { size, state } = cells[layer].cell;
      const { before, cellBefore } = layers[layer];
      const row = r * before.stride;
      floats.copyWithin((before.address + row) >> 2, from + state.hidden, from + state.hidden + size);
      if (state.cell === null) continue;
      floats.copyWithin((cellBefore + row) >> 2, from + state.cell, from + state.cell + size);
    }
  };
  const markEnds: StateLoader['markEnds'] = (rows, first, numSteps, { numSequences, stepRows }) => {
    const marks = continues >> 2;
    for (let t = 1; t < numSteps; t++) {
      for (let r = 0; r < numSequences; r++)
        integers[marks + t * stepRows + r] = isEnd(rows[first + t * numSequences + r] - 1) ? 0 : 1;
    }
  };
  return {
    loadState,
    markEnds,
    planBurnIn(burnIn, first, block) {
      const { numSequences } = block;
      const rows = burnInAddress >> 2;
      for (let r = 0; r < numSequences; r++) {
        const i = permutations[first + r];
        for (let t = 0; t < burnIn; t++)
          integers[rows + t * numSequences + r] = hasBurnIn(i) ? i - burnIn + t : i;
      }
      markEnds(integers, rows, burnIn, block);
    },
    endBurnIn(cells, r, first) {
      const i = permutations[first + r];
      if (!hasBurnIn(i)) loadState(cells, r, first);
      else if (isEnd(i - 1)) {
        for (let layer = 0; layer < cells.length; layer++) {
          const { before, cellBefore } = layers[layer];
          const { size, state } = cells[layer].cell;
          const row = r * before.stride;
          floats.fill(0, (before.address + row) >> 2, ((before.address + row) >> 2) + size);
          if (state.cell !== null) floats.fill(0, (cellBefore + row) >> 2, ((cellBefore + row) >> 2) + size);
        }
      }
    },
  };
}
