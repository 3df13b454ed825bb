/** One thread's scratch for a block of sequences on its way through recurrent cells, forward and back. */
import { numCellLayers } from '../../policy/networks/recurrent-state.ts';
import type { Activation, PolicySpec } from '../../policy/policy-spec.ts';
import {
  BLOCK_ROWS,
  type Block,
  type DenseLayer,
  type LayerRecord,
  RECORD_BYTES,
  scratchStride,
  writeProgram,
} from '../../simd/layer-program.ts';
import { CELL_BYTES, policyCells, type RecurrentCell, writeCell } from '../../simd/recurrent-program.ts';
import type { SequenceShape } from '../epoch-order.ts';

export interface Bump {
  take(bytes: number): number;
  readonly position: number;
}

/** What one layer of cells needs, shared by the towers of a thread, which runs one at a time. */
export interface LayerScratch {
  readonly gates: Block; // [L, P, gates] f32
  readonly ownGates: number; // GRU, as gates
  /** The state that each step begins with. */
  readonly before: Block; // [L, P, H] f32
  readonly cellBefore: number; // LSTM, as before
  readonly hidden: Block; // [L, P, H] f32
  readonly tanhCell: number; // LSTM, as hidden
  readonly gradHidden: Block; // [L, P, H] f32
}

/** Shared by the towers of a thread. P = sequences of a block rounded up to four; byte addresses. */
export interface SequenceScratch {
  readonly cells: readonly RecurrentCell[];
  /** L P. */
  readonly numRows: number;
  /** Observations. */
  readonly x: Block; // [L, P, obsSize] f32
  readonly layers: readonly LayerScratch[];
  readonly continues: number; // [L, P] i32
  readonly carry: Block; // [P, H] f32
  readonly cellCarry: number; // LSTM, as carry
  /** Rows of a burn-in. */
  readonly burnIn: number; // [B, R] i32
}

/** What a tower's lowest cell reads: observations, or what hidden layers before it make of them, to which gradients flow back. */
export interface CellInput {
  readonly x: Block;
  /** dL/d(what the last of these layers' activation is given); null = nobody asks for it. */
  readonly gradient: Block | null;
  readonly activation: Activation;
  /** Where inputs of that activation are kept. */
  readonly pre: number;
}

export interface CellPlan {
  readonly cell: RecurrentCell;
  readonly address: number;
  /** The same cell, whose last state becomes the first one; 0 = there is no burn-in. */
  readonly warmUp: number;
  readonly x: Block;
  /** The state's kernel. */
  readonly transposed: Block; // [gates, H] f32
  /** The product over its inputs as a layer, for their gradients alone; null = nobody asks for them. */
  readonly inputs: { readonly address: number; readonly record: LayerRecord } | null;
}

/** One tower's cells from below, and the rows that they hand to the layers behind them, at most 64 at a time. */
export interface CellsPlan {
  readonly cells: readonly CellPlan[];
  readonly hidden: Block; // [64, H] f32
  readonly gradHidden: Block; // [64, H] f32
  /** Hidden layers before the cells, over all rows of a block of sequences; none: 0 records. */
  readonly before: { readonly address: number; readonly records: readonly LayerRecord[] };
}

export function planSequences(
  spec: PolicySpec,
  { length, perBlock, burnIn = 0 }: SequenceShape,
  bump: Bump,
): SequenceScratch {
  const cells = policyCells(spec);
  const [{ kind, size, numColumns }] = cells;
  const stepRows = Math.ceil(perBlock / 4) * 4;
  const numRows = length * stepRows;
  const isLstm = kind === 'lstm';
  const block = (rows: number, columns: number): Block => {
    const stride = scratchStride(columns);
    return { address: bump.take(rows * stride), stride };
  };
  const like = (rows: number, { stride }: Block) => bump.take(rows * stride);
  const layers = Array.from({ length: numCellLayers(spec) }, (): LayerScratch => {
    const gates = block(numRows, numColumns);
    const before = block(numRows, size);
    const hidden = block(numRows, size);
    return {
      gates,
      ownGates: isLstm ? 0 : like(numRows, gates),
      before,
      cellBefore: isLstm ? like(numRows, before) : 0,
      hidden,
      tanhCell: isLstm ? like(numRows, hidden) : 0,
      gradHidden: block(numRows, size),
    };
  });
  const carry = block(stepRows, size);
  return {
    ...{ cells, numRows, layers, carry },
    x: block(numRows, spec.observationSize),
    continues: bump.take(4 * numRows),
    cellCarry: isLstm ? like(stepRows, carry) : 0,
    burnIn: burnIn > 0 ? bump.take(4 * burnIn * perBlock) : 0,
  };
}

/** @param tower its number among those with cells. */
export function planCells(
  { cells, layers, burnIn }: SequenceScratch,
  tower: number,
  input: CellInput,
  before: CellsPlan['before'],
  bump: Bump,
): CellsPlan {
  const block = (rows: number, columns: number): Block => {
    const stride = scratchStride(columns);
    return { address: bump.take(rows * stride + 64), stride };
  };
  const { size } = cells[0];
  const planned = layers.map(({ gates }, layer): CellPlan => {
    const cell = cells[tower * layers.length + layer];
    const below = layers[layer - 1];
    const from: CellInput =
      layer === 0 ? input : { x: below.hidden, gradient: below.gradHidden, activation: 'identity', pre: 0 };
    const transposed = from.gradient === null ? null : block(cell.numColumns, cell.inputs);
    return {
      cell,
      address: bump.take(CELL_BYTES),
      warmUp: burnIn > 0 ? bump.take(CELL_BYTES) : 0,
      x: from.x,
      transposed: block(cell.numColumns, cell.size),
      inputs:
        transposed === null
          ? null
          : { address: bump.take(RECORD_BYTES), record: inputRecord(cell, from, gates, transposed) },
    };
  });
  return { cells: planned, before, hidden: block(BLOCK_ROWS, size), gradHidden: block(BLOCK_ROWS, size) };
}

/** A cell's product over its inputs, whose outputs are the gates and whose gradients its backward pass leaves in their place. */
function inputRecord(cell: RecurrentCell, input: CellInput, gates: Block, transposed: Block): LayerRecord {
  const layer: DenseLayer = {
    ...{ name: 'inputs of a cell', inputs: cell.inputs, outputs: cell.numColumns, activation: 'identity' },
    ...{ kernelOffset: cell.inputOffset, biasOffset: cell.biasOffset },
  };
  const backward = {
    ...{ gradOutput: gates, gradInput: input.gradient, transposed, accumulates: false },
    ...{ inputActivation: input.activation, inputPre: input.pre },
  };
  return { layer, input: input.x, output: gates, isDense: true, pre: 0, backward };
}

export function writeCellsPlan(
  buffer: ArrayBufferLike,
  { cells, before }: CellsPlan,
  { layers, continues, carry, cellCarry }: SequenceScratch,
): void {
  const after: Block = { address: 0, stride: 0 };
  if (before.records.length > 0) writeProgram(buffer, before.address, before.records);
  cells.forEach(({ cell, address, warmUp, x, transposed, inputs }, layer) => {
    const { gradHidden, ...scratch } = layers[layer];
    const rows = { ...scratch, x, continues, after, cellAfter: 0 };
    writeCell(buffer, address, cell, rows, { transposed, gradHidden, carry, cellCarry });
    if (warmUp > 0)
      writeCell(
        buffer,
        warmUp,
        cell,
        { ...rows, after: scratch.before, cellAfter: scratch.cellBefore },
        null,
      );
    if (inputs !== null) writeProgram(buffer, inputs.address, [inputs.record]);
  });
}
