/** Recurrent cells as the kernels read them: one record a cell, in the arena (assembly/recurrent.ts reads its words). */
import { mlpParameterLayout } from '../policy/networks/mlp-parameters.ts';
import {
  type CellStateRange,
  cellName,
  cellStateRange,
  numCellLayers,
  recurrentTowers,
} from '../policy/networks/recurrent-state.ts';
import type { ActingSpec } from '../policy/policy-spec.ts';
import type { ParameterEntry, ParameterLayout } from '../weights/parameter-layout.ts';
import type { Block } from './layer-program.ts';

/** One cell of a policy; offsets in bytes from the first parameter. */
export interface RecurrentCell {
  readonly kind: 'lstm' | 'gru';
  readonly inputs: number;
  readonly size: number;
  /** Columns of its products: 4 gates of an LSTM, 3 of a GRU. */
  readonly numColumns: number;
  readonly inputOffset: number;
  readonly stateOffset: number;
  readonly biasOffset: number;
  /** GRU; 0 for an LSTM. */
  readonly stateBiasOffset: number;
  /** Within a row's recurrent state. */
  readonly state: CellStateRange;
}

/** The actor's cells (or the shared ones) from below, then the critic's; none of a policy without. */
export function policyCells(spec: ActingSpec): readonly RecurrentCell[] {
  const { network } = spec;
  if (network.kind !== 'recurrent') return [];
  const layout = mlpParameterLayout(spec);
  const layers = Array.from({ length: numCellLayers(spec) }, (_, layer) => layer);
  const names = recurrentTowers(spec).flatMap((tower) => layers.map((layer) => cellName(tower, layer)));
  return names.map((name, index) => cellOf(name, network.cell, cellStateRange(spec, index), layout));
}

/** The cell whose parameters a layout has under `name`. */
export function cellOf(
  name: string,
  kind: RecurrentCell['kind'],
  state: CellStateRange,
  { entries }: Pick<ParameterLayout, 'entries'>,
): RecurrentCell {
  const entry = (part: string) => entries.find((each) => each.name === `${name}/${part}`) as ParameterEntry;
  const { shape, offset } = entry('input');
  return {
    ...{ kind, state, inputs: shape[0], numColumns: shape[1], inputOffset: 4 * offset },
    size: entry('state').shape[0],
    stateOffset: 4 * entry('state').offset,
    biasOffset: 4 * entry('bias').offset,
    stateBiasOffset: kind === 'gru' ? 4 * entry('stateBias').offset : 0,
  };
}

/** Where a cell's rows lie; addresses, 0 = absent. Rows of a step are padded to four. */
export interface CellRows {
  readonly x: Block;
  readonly gates: Block;
  /** GRU: what the state contributes, at the stride of `gates`. */
  readonly ownGates: number;
  /** Hidden and cell states that each step begins with, at one stride. */
  readonly before: Block;
  readonly cellBefore: number;
  readonly hidden: Block;
  /** tanh of the new cell states, at the stride of `hidden`. */
  readonly tanhCell: number;
  /** i32 a row: 0 where an episode begins there, so that the state before it is 0. Absent: episodes begin nowhere but at the first step. */
  readonly continues: number;
  /** Where the states after the last step go; absent: nowhere. */
  readonly after: Block;
  readonly cellAfter: number;
}

/** What the way back needs besides. */
export interface CellBackward {
  /** The state's kernel, transposed. */
  readonly transposed: Block;
  readonly gradHidden: Block;
  /** One step's rows: what flows back into the states. */
  readonly carry: Block;
  readonly cellCarry: number;
}

/** Words that acting writes anew in every call. */
export const CellWord = { BEFORE: 12, CELL_BEFORE: 13, AFTER: 19, CELL_AFTER: 20 } as const;
const CELL_WORDS = 29;
export const CELL_BYTES = 4 * CELL_WORDS;

export function writeCell(
  buffer: ArrayBufferLike,
  address: number,
  cell: RecurrentCell,
  rows: CellRows,
  backward: CellBackward | null,
): void {
  const none: Block = { address: 0, stride: 0 };
  const { transposed, gradHidden, carry, cellCarry } = backward ?? {
    transposed: none,
    gradHidden: none,
    carry: none,
    cellCarry: 0,
  };
  new Uint32Array(buffer, address, CELL_WORDS).set([
    cell.kind === 'lstm' ? 0 : 1,
    cell.inputs,
    cell.size,
    cell.inputOffset,
    cell.stateOffset,
    cell.biasOffset,
    cell.stateBiasOffset,
    rows.x.address,
    rows.x.stride,
    rows.gates.address,
    rows.gates.stride, // 10
    rows.ownGates,
    rows.before.address,
    rows.cellBefore,
    rows.before.stride,
    rows.hidden.address,
    rows.hidden.stride,
    rows.tanhCell,
    rows.continues,
    rows.after.address,
    rows.cellAfter, // 20
    rows.after.stride,
    transposed.address,
    transposed.stride,
    gradHidden.address,
    gradHidden.stride,
    carry.address,
    cellCarry,
    carry.stride,
  ]);
}
