/** Acting with a recurrent cell: the state of every row is read and moved on where the caller keeps it. */
import { numCellLayers, recurrentStateSize } from '../policy/networks/recurrent-state.ts';
import type { ActingSpec } from '../policy/policy-spec.ts';
import type { ActCall, RowPolicy, ValuesCall } from '../policy/row-policy.ts';
import type { Kernels } from './kernel-exports.ts';
import {
  type Block,
  chainLayers,
  policyLayers,
  RECORD_BYTES,
  scratchStride,
  writeProgram,
} from './layer-program.ts';
import { CELL_BYTES, type CellRows, CellWord, policyCells, writeCell } from './recurrent-program.ts';

/** A cell's scratch for one step of a block of rows, shared by the cells of a policy. */
export interface CellScratch {
  /** One after the other, CELL_BYTES each. */
  readonly records: number;
  /** Programs of the hidden layers before the cells, a tower each; address 0 = there are none. */
  readonly before: readonly number[];
  readonly gates: Block;
  readonly ownGates: number;
  /** Of the topmost cell: what the layers behind read. */
  readonly hidden: Block;
  /** Cells on top of each other write into this and `hidden` in turn, the topmost into `hidden`. */
  readonly between: Block;
  readonly tanhCell: number;
}

/** null = the policy has no cell. */
export function planCellScratch(
  spec: ActingSpec,
  rows: number,
  take: (bytes: number) => number,
): CellScratch | null {
  const cells = policyCells(spec);
  if (cells.length === 0) return null;
  const [{ numColumns, size, kind }] = cells;
  const [gateStride, stride] = [scratchStride(numColumns), scratchStride(size)];
  const hidden: Block = { address: take(rows * stride), stride };
  return {
    before: policyLayers(spec).beforeCells.map(({ length }) =>
      length === 0 ? 0 : take(RECORD_BYTES * length),
    ),
    records: take(64 * Math.ceil((CELL_BYTES * cells.length) / 64)),
    gates: { address: take(rows * gateStride), stride: gateStride },
    ownGates: kind === 'gru' ? take(rows * gateStride) : 0,
    hidden,
    between: numCellLayers(spec) > 1 ? { address: take(rows * stride), stride } : hidden,
    tanhCell: kind === 'lstm' ? take(rows * stride) : 0,
  };
}

export interface RecurrentPolicyScratch {
  readonly descriptor: number;
  readonly blockRows: number;
  readonly observations: Block;
  /** Layers before the cells alternate between the two. */
  readonly hidden: readonly [Block, Block];
  readonly cell: CellScratch;
}

/** One step of a policy's cells for a block of rows, from packed observations to the hidden states that the layers behind read. */
export interface CellSteps {
  /** The critic's tower, which is the only one where layers are shared. */
  readonly critic: number;
  /**
   * @param tower whose cells. @param statesAddress of the first row's state, byte address. @param moves states are written where they were read.
   */
  run(tower: number, statesAddress: number, weightsAddress: number, numRows: number, moves: boolean): void;
}

export function createCellSteps(
  kernels: Kernels,
  spec: ActingSpec,
  buffer: ArrayBufferLike,
  scratch: Pick<RecurrentPolicyScratch, 'observations' | 'hidden' | 'cell'>,
): CellSteps {
  const towers = planTowers(spec, buffer, scratch);
  return {
    critic: towers.length - 1,
    run(tower, statesAddress, weightsAddress, numRows, moves) {
      const { before, numBefore, cells } = towers[tower];
      if (numBefore > 0) kernels.forward(before, numBefore, weightsAddress, numRows);
      for (let layer = 0; layer < cells.length; layer++) {
        const { address, words: record, state: range } = cells[layer];
        const hidden = statesAddress + 4 * range.hidden;
        const inner = range.cell === null ? 0 : statesAddress + 4 * range.cell;
        record[CellWord.BEFORE] = hidden;
        record[CellWord.CELL_BEFORE] = inner;
        record[CellWord.AFTER] = moves ? hidden : 0;
        record[CellWord.CELL_AFTER] = moves ? inner : 0;
        kernels.recurrentForward(address, weightsAddress, 1, numRows);
      }
    },
  };
}

/** Writes the records of each tower: hidden layers before its cells, and these from below. */
function planTowers(
  spec: ActingSpec,
  buffer: ArrayBufferLike,
  { observations, hidden, cell }: Pick<RecurrentPolicyScratch, 'observations' | 'hidden' | 'cell'>,
) {
  const numLayers = numCellLayers(spec);
  const all = policyCells(spec);
  const state: Block = { address: 0, stride: 4 * recurrentStateSize(spec) };
  return policyLayers(spec).beforeCells.map((layers, tower) => {
    const records = chainLayers(layers, observations, hidden);
    const before = cell.before[tower];
    if (records.length > 0) writeProgram(buffer, before, records);
    let x = records.at(-1)?.output ?? observations;
    const cells = all.slice(tower * numLayers, (tower + 1) * numLayers).map((of, layer) => {
      const address = cell.records + CELL_BYTES * (tower * numLayers + layer);
      const output = (numLayers - layer) % 2 === 1 ? cell.hidden : cell.between;
      const rows: CellRows = {
        ...{ x, gates: cell.gates, ownGates: cell.ownGates, hidden: output, tanhCell: cell.tanhCell },
        ...{ continues: 0, before: state, cellBefore: 0, after: state, cellAfter: 0 },
      };
      writeCell(buffer, address, of, rows, null);
      x = output;
      return { ...of, address, words: new Uint32Array(buffer, address, CELL_BYTES / 4) };
    });
    return { before, numBefore: records.length, cells };
  });
}

/** Words of the descriptor: programs that read a cell's hidden state. */
const Program = { ACTOR: 21, CRITIC: 23, VALUES_ONLY: 37 } as const;

/**
 * What `createKernelPolicy` makes of a recurrent network. States are read at `stateAddress` and, by `act`, written there again; `values` leaves
 * them as they are, unless the call says otherwise.
 */
export function createRecurrentPolicy(
  kernels: Kernels,
  spec: ActingSpec,
  buffer: ArrayBufferLike,
  scratch: RecurrentPolicyScratch,
): RowPolicy {
  const { descriptor, blockRows } = scratch;
  const words = new Uint32Array(buffer, descriptor, 41);
  const stateSize = recurrentStateSize(spec);
  const cells = createCellSteps(kernels, spec, buffer, scratch);
  const { critic } = cells;
  const runCell = (
    tower: number,
    call: ActCall | ValuesCall,
    first: number,
    count: number,
    moves: boolean,
  ) => {
    const base = (call.stateAddress ?? 0) + 4 * first * stateSize;
    cells.run(tower, base, call.weightsAddress, count, moves);
  };
  const runLayers = (program: number, call: ActCall | ValuesCall, count: number) =>
    kernels.forward(words[program], words[program + 1], call.weightsAddress, count);
  return {
    act(call) {
      writeActCall(words, call);
      kernels.prepareDistribution(descriptor);
      for (let first = 0; first < call.numRows; first += blockRows) {
        const count = Math.min(blockRows, call.numRows - first);
        kernels.packObservations(descriptor, first, count);
        runCell(0, call, first, count, true);
        runLayers(Program.ACTOR, call, count);
        kernels.sampleBlock(descriptor, first, count);
        if (call.valueAddress === 0) continue;
        if (critic > 0) runCell(critic, call, first, count, true);
        runLayers(Program.CRITIC, call, count);
        kernels.writeValues(descriptor, first, count);
      }
    },
    values(call) {
      writeValuesCall(words, call);
      for (let first = 0; first < call.numRows; first += blockRows) {
        const count = Math.min(blockRows, call.numRows - first);
        kernels.packObservations(descriptor, first, count);
        runCell(critic, call, first, count, call.movesState === true);
        runLayers(Program.VALUES_ONLY, call, count);
        kernels.writeValues(descriptor, first, count);
      }
    },
  };
}

/** A call's words of the policy's descriptor. */
export function writeActCall(words: Uint32Array, call: ActCall): void {
  words[0] = call.numRows;
  words[1] = call.weightsAddress;
  words[2] = call.observationAddress;
  words[3] = call.observationStride;
  words[4] = call.maskAddress;
  words[5] = call.maskStride;
  words[6] = call.noiseAddress;
  words[7] = call.deterministic ? 1 : 0;
  words[8] = call.actionAddress;
  words[9] = call.actionStride;
  words[10] = call.logProbAddress;
  words[11] = call.valueAddress;
  words[12] = call.scalarStride;
}

export function writeValuesCall(words: Uint32Array, call: ValuesCall): void {
  words[0] = call.numRows;
  words[1] = call.weightsAddress;
  words[2] = call.observationAddress;
  words[3] = call.observationStride;
  words[11] = call.valueAddress;
  words[12] = call.valueStride;
}
