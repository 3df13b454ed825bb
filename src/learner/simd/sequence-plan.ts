/** One thread's scratch for a block of sequences on its way through a recurrent cell, forward and back. */
import type { PolicySpec } from '../../policy/policy-spec.ts';
import { BLOCK_ROWS, type Block, scratchStride } from '../../simd/layer-program.ts';
import { CELL_BYTES, policyCells, type RecurrentCell, writeCell } from '../../simd/recurrent-program.ts';
import type { SequenceShape } from '../epoch-order.ts';

export interface Bump {
  take(bytes: number): number;
  readonly position: number;
}

/** Shared by the towers of a thread, which runs one at a time. P = sequences of a block rounded up to four; byte addresses. */
export interface SequenceScratch {
  readonly cells: readonly RecurrentCell[];
  readonly x: Block; // [L, P, obsSize] f32
  readonly gates: Block; // [L, P, gates] f32
  readonly ownGates: number; // GRU, as gates
  /** The state that each step begins with. */
  readonly before: Block; // [L, P, H] f32
  readonly cellBefore: number; // LSTM, as before
  readonly hidden: Block; // [L, P, H] f32
  readonly tanhCell: number; // LSTM, as hidden
  readonly continues: number; // [L, P] i32
  readonly gradHidden: Block; // [L, P, H] f32
  readonly carry: Block; // [P, H] f32
  readonly cellCarry: number; // LSTM, as carry
}

/** One tower's cell, and the rows that it hands to the layers behind it, at most 64 at a time. */
export interface CellPlan {
  readonly cell: RecurrentCell;
  readonly address: number;
  readonly transposed: Block; // [gates, H] f32
  readonly hidden: Block; // [64, H] f32
  readonly gradHidden: Block; // [64, H] f32
}

export function planSequences(
  spec: PolicySpec,
  { length, perBlock }: SequenceShape,
  bump: Bump,
): SequenceScratch {
  const cells = policyCells(spec);
  const [{ kind, inputs, size, numColumns }] = cells;
  const stepRows = Math.ceil(perBlock / 4) * 4;
  const numRows = length * stepRows;
  const isLstm = kind === 'lstm';
  const block = (rows: number, columns: number): Block => {
    const stride = scratchStride(columns);
    return { address: bump.take(rows * stride), stride };
  };
  const like = (rows: number, { stride }: Block) => bump.take(rows * stride);
  const gates = block(numRows, numColumns);
  const before = block(numRows, size);
  const hidden = block(numRows, size);
  const carry = block(stepRows, size);
  return {
    cells,
    x: block(numRows, inputs),
    gates,
    ownGates: isLstm ? 0 : like(numRows, gates),
    before,
    cellBefore: isLstm ? like(numRows, before) : 0,
    hidden,
    tanhCell: isLstm ? like(numRows, hidden) : 0,
    continues: bump.take(4 * numRows),
    gradHidden: block(numRows, size),
    carry,
    cellCarry: isLstm ? like(stepRows, carry) : 0,
  };
}

export function planCell({ cells }: SequenceScratch, tower: number, bump: Bump): CellPlan {
  const cell = cells[tower];
  const block = (rows: number, columns: number): Block => {
    const stride = scratchStride(columns);
    return { address: bump.take(rows * stride + 64), stride };
  };
  return {
    cell,
    address: bump.take(CELL_BYTES),
    transposed: block(cell.numColumns, cell.size),
    hidden: block(BLOCK_ROWS, cell.size),
    gradHidden: block(BLOCK_ROWS, cell.size),
  };
}

export function writeCellPlan(
  buffer: ArrayBufferLike,
  { cell, address, transposed }: CellPlan,
  scratch: SequenceScratch,
): void {
  const { x, gates, ownGates, before, cellBefore, hidden, tanhCell, continues } = scratch;
  const { gradHidden, carry, cellCarry } = scratch;
  const after: Block = { address: 0, stride: 0 };
  const rows = { x, gates, ownGates, before, cellBefore, hidden, tanhCell, continues, after, cellAfter: 0 };
  writeCell(buffer, address, cell, rows, { transposed, gradHidden, carry, cellCarry });
}
