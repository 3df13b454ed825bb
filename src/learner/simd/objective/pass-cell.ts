/** The recurrent cell of a pass: a block of sequences through it, step by step, and back. */
import {
  inputParts,
  type ModelLayout,
  type ModelSpec,
  networkNamed,
  widthOf,
} from '../../../policy/networks/model.ts';
import type { Kernels } from '../../../simd/kernel-exports.ts';
import type { Block } from '../../../simd/layer-program.ts';
import {
  CELL_BYTES,
  type CellRows,
  cellOf,
  type RecurrentCell,
  writeCell,
} from '../../../simd/recurrent-program.ts';
import type { ObjectiveSpec, PassOptions, SequenceRows } from '../../objective.ts';
import type { ThreadColumns } from './columns.ts';
import { type CellOutput, type SharedBlocks, scratchBlock, transposedBlock } from './pass-plan.ts';
import type { ThreadScratch } from './thread-scratch.ts';

export type PassCell = CellOutput & {
  /** Bytes of a row of `hidden` that the cell writes: the network's other inputs stand behind. */
  readonly hiddenBytes: number;
  /** From packed inputs to hidden states, the burn-in first. */
  forward(parameters: number): void;
  /** Once for each phase, before `backward`. */
  transpose(parameters: number): void;
  /** Gradients of the cell's parameters into a slab, back to the end of the burn-in. @param isFirst they overwrite what is there. */
  backward(slab: number, isFirst: boolean): void;
};

/** What passes are planned over. */
export interface PassedModel {
  readonly model: ModelSpec;
  readonly objective: ObjectiveSpec;
  readonly layout: ModelLayout;
}

/**
 * @returns null for a network without a cell.
 * @throws TypeError where the objective has no sequences, or only gradients of what the cell reads could be wanted.
 */
export function openPassCell(
  { network, gradient = 'none', begins = 'stored' }: PassOptions,
  x: Block,
  { model, objective, layout }: PassedModel,
  columns: ThreadColumns,
  kernels: Kernels | null,
  shared: SharedBlocks,
  scratch: ThreadScratch,
): PassCell | null {
  const named = networkNamed(model, network);
  const { trunk } = named;
  if (trunk.kind !== 'mlp' || trunk.cell === undefined) return null;
  const { sequences } = objective;
  if (sequences === undefined)
    throw new TypeError(`Expected sequences for the recurrent cell of ${network}.`);
  const { beside } = inputParts(named);
  if (beside.length === 0 && (gradient === 'inputs' || gradient === 'both'))
    throw new TypeError(`Expected no gradient of the inputs of ${network}: its cell gives none.`);
  const { kind } = trunk.cell;
  const state = { hidden: 0, cell: kind === 'lstm' ? trunk.cell.size : null };
  const cell = cellOf(`${network}/cell`, kind, state, layout);
  const { size, numColumns, stateOffset } = cell;
  const stateKernel = { name: `${network}/cell/state`, inputs: size, outputs: numColumns };
  const transposed = gradient === 'none' ? null : transposedBlock(shared, scratch, stateKernel);
  const rows = planRows(cell, x, widthOf(model, beside), transposed, columns, scratch);
  const [main, warmUp] = placeCell(cell, rows, sequences, scratch);
  const begin = createBeginning(cell, rows, sequences, begins, columns, scratch);
  const { length, burnIn, perBlock } = sequences;
  return {
    ...{ hidden: rows.hidden, hiddenBytes: 4 * size },
    gradHidden: transposed === null ? null : rows.gradHidden,
    forward(parameters) {
      begin.load();
      if (burnIn > 0) {
        kernels?.recurrentForward(warmUp, parameters, burnIn, perBlock);
        begin.clearEnded();
      }
      kernels?.recurrentForward(main, parameters, length - burnIn, perBlock);
    },
    transpose(parameters) {
      if (transposed === null) return;
      const kernel = parameters + stateOffset;
      kernels?.transpose(kernel, 4 * numColumns, size, numColumns, transposed.address, transposed.stride);
    },
    backward(slab, isFirst) {
      kernels?.recurrentBackward(main, slab, length - burnIn, perBlock, isFirst ? 0 : 1);
    },
  };
}

type PassRows = ReturnType<typeof planRows>;

/** Scratch of a block of sequences, [U P] rows each. @param besideSize elements that stand behind a row's hidden state. */
function planRows(
  { kind, size, numColumns }: RecurrentCell,
  x: Block,
  besideSize: number,
  transposed: Block | null,
  columns: ThreadColumns,
  scratch: ThreadScratch,
) {
  const isLstm = kind === 'lstm';
  const block = (width: number) => scratchBlock(scratch, width);
  const nowhere: Block = { address: 0, stride: 0 };
  const flowsBack = transposed !== null;
  const gates = block(numColumns);
  const before = block(size);
  const hidden = block(size + besideSize);
  return {
    ...{ x, gates, before, hidden },
    ownGates: isLstm ? 0 : block(numColumns).address,
    cellBefore: isLstm ? block(size).address : 0,
    tanhCell: isLstm ? block(size + besideSize).address : 0,
    gradHidden: flowsBack ? block(size + besideSize) : nowhere,
    carry: flowsBack ? block(size) : nowhere,
    cellCarry: flowsBack && isLstm ? block(size).address : 0,
    transposed: transposed ?? nowhere,
    continues: columns.open('continues', 'int32').byteOffset,
  };
}

/** Writes the cell's record for the steps behind the burn-in, and the burn-in's, which leaves its last state where those begin. */
function placeCell(
  cell: RecurrentCell,
  rows: PassRows,
  { burnIn, perBlock }: SequenceRows,
  scratch: ThreadScratch,
): readonly [main: number, warmUp: number] {
  const main = scratch.take(CELL_BYTES);
  const warmUp = scratch.take(CELL_BYTES);
  if (!scratch.isReal) return [main, warmUp];
  const { transposed, gradHidden, carry, cellCarry } = rows;
  const skipped = burnIn * perBlock;
  const later = ({ address, stride }: Block): Block => ({ address: address + skipped * stride, stride });
  const laterOf = (address: number, { stride }: Block) => (address === 0 ? 0 : address + skipped * stride);
  const none: Block = { address: 0, stride: 0 };
  const behind: CellRows = {
    ...{ x: later(rows.x), gates: later(rows.gates), before: later(rows.before), hidden: later(rows.hidden) },
    ownGates: laterOf(rows.ownGates, rows.gates),
    cellBefore: laterOf(rows.cellBefore, rows.before),
    tanhCell: laterOf(rows.tanhCell, rows.hidden),
    continues: rows.continues + 4 * skipped,
    ...{ after: none, cellAfter: 0 },
  };
  const backward = { transposed, gradHidden: later(gradHidden), carry, cellCarry };
  writeCell(scratch.buffer, main, cell, behind, backward);
  const first: CellRows = { ...rows, after: behind.before, cellAfter: behind.cellBefore };
  writeCell(scratch.buffer, warmUp, cell, first, null);
  return [main, warmUp];
}

/** What a block's sequences begin with, and which of them begin anew right behind their burn-in. */
function createBeginning(
  { size, state }: RecurrentCell,
  { before, cellBefore }: PassRows,
  { burnIn, perBlock }: SequenceRows,
  begins: 'stored' | 'zero',
  columns: ThreadColumns,
  scratch: ThreadScratch,
) {
  const states = begins === 'zero' ? null : (columns.open('states', 'float32', perBlock) as Float32Array); // [P, S]
  const continues = columns.open('continues', 'int32') as Int32Array; // [U P]
  const stride = before.stride / 4;
  const view = (address: number) => scratch.floats(address, scratch.blockRows * stride);
  const hidden = view(before.address);
  const inner = state.cell === null ? null : view(cellBefore);
  const stateSize = (states?.length ?? 0) / perBlock;
  return {
    load(): void {
      if (states === null) {
        hidden.fill(0, 0, perBlock * stride);
        inner?.fill(0, 0, perBlock * stride);
        return;
      }
      for (let p = 0; p < perBlock; p++) {
        const from = p * stateSize;
        for (let k = 0; k < size; k++) hidden[p * stride + k] = states[from + k];
        if (inner === null) continue;
        for (let k = 0; k < size; k++) inner[p * stride + k] = states[from + size + k];
      }
    },
    /** A burn-in's last state goes on, whatever comes next. */
    clearEnded(): void {
      const first = burnIn * perBlock;
      for (let row = first; row < first + perBlock; row++) {
        if (continues[row] !== 0) continue;
        hidden.fill(0, row * stride, row * stride + size);
        inner?.fill(0, row * stride, row * stride + size);
      }
    },
  };
}
