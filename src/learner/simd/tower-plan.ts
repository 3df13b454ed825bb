/** One thread's scratch for one block of rows: what is gathered, activations, gradients, transposed kernels, programs. */
import { actionSize, distributionSize, latentSize, type PolicySpec } from '../../policy/policy-spec.ts';
import {
  type BackwardRecord,
  BLOCK_ROWS,
  type Block,
  type DenseLayer,
  type LayerRecord,
  needsInput,
  type PolicyLayers,
  policyLayers,
  RECORD_BYTES,
  scratchStride,
  writeProgram,
} from '../../simd/layer-program.ts';
import type { SequenceShape } from '../epoch-order.ts';
import {
  type Bump,
  type CellsPlan,
  planCells,
  planSequences,
  type SequenceScratch,
  writeCellsPlan,
} from './sequence-plan.ts';

/** Gathered rows and the outputs' side; byte addresses, rows dense. */
export interface RowScratch {
  readonly observations: Block;
  readonly actions: number; // [64, A] i32 or f32
  readonly masks: number; // [64, maskSize] u8
  readonly oldLogProbs: number; // f32 [64]
  readonly oldValues: number; // f32 [64]
  readonly advantages: number; // f32 [64]
  readonly returns: number; // f32 [64]
  readonly outputs: number; // f32 [64, P]
  readonly values: number; // f32 [64]
  readonly gradOutputs: number; // f32 [64, P]
  readonly gradValues: number; // f32 [64]
  readonly gradLogStd: number; // f32, as logStd
}

/** One work item's network: an actor, a critic, or both on one trunk. */
export interface TowerProgram {
  readonly hasActor: boolean;
  readonly hasCritic: boolean;
  readonly address: number;
  readonly numRecords: number;
  readonly records: readonly LayerRecord[];
  /** Behind recurrent cells: hidden states in, their gradients out; null = reads observations. */
  readonly cells: CellsPlan | null;
  /** Last hidden layer (what the tower reads when there is none). */
  readonly latent: Block;
}

export interface ThreadPlan {
  readonly rows: RowScratch;
  readonly towers: readonly TowerProgram[];
  /** Of a recurrent policy, else null. */
  readonly sequences: SequenceScratch | null;
  readonly byteLength: number;
}

function bumpFrom(base: number): Bump {
  let end = base;
  return {
    take(bytes) {
      const address = end;
      end = Math.ceil((end + bytes) / 64) * 64;
      return address;
    },
    get position() {
      return end;
    },
  };
}

function planRows(spec: PolicySpec, layers: PolicyLayers, bump: Bump): RowScratch {
  const P = distributionSize(spec.distribution);
  const stride = scratchStride(spec.observationSize);
  const column = () => bump.take(4 * BLOCK_ROWS);
  return {
    observations: { address: bump.take(BLOCK_ROWS * stride), stride },
    actions: bump.take(4 * BLOCK_ROWS * actionSize(spec.distribution)),
    masks: bump.take(BLOCK_ROWS * spec.actionMaskSize),
    oldLogProbs: column(),
    oldValues: column(),
    advantages: column(),
    returns: column(),
    outputs: bump.take(4 * BLOCK_ROWS * P),
    values: column(),
    gradOutputs: bump.take(4 * BLOCK_ROWS * P + 64),
    gradValues: bump.take(4 * BLOCK_ROWS + 64),
    gradLogStd: bump.take(4 * layers.logStd.size),
  };
}

interface Head {
  readonly layer: DenseLayer;
  readonly output: Block;
  readonly gradOutput: Block;
}

/** Hidden layers and the heads on the last of them; `gradFirst` null = nobody asks for the gradient of what they read. */
function planTower(
  hidden: readonly DenseLayer[],
  heads: readonly Head[],
  first: Block,
  gradFirst: Block | null,
  bump: Bump,
  numRows = BLOCK_ROWS,
) {
  const block = (columns: number): Block => {
    const stride = scratchStride(columns);
    return { address: bump.take(numRows * stride), stride };
  };
  const widest = Math.max(1, ...hidden.map(({ outputs }) => outputs));
  const gradients = hidden.length > 0 ? [block(widest), block(widest)] : [];
  const transposedOf = ({ inputs, outputs }: DenseLayer): Block => {
    const stride = scratchStride(inputs);
    return { address: bump.take(outputs * stride + 64), stride };
  };
  const records: LayerRecord[] = [];
  let input = first;
  let inputPre = 0;
  const backwardOf = (
    layer: DenseLayer,
    k: number,
    gradOutput: Block,
    accumulates: boolean,
  ): BackwardRecord => {
    const previous = hidden[k - 1];
    return {
      gradOutput,
      gradInput: k === 0 ? gradFirst : gradients[(k - 1) % 2],
      transposed: k === 0 && gradFirst === null ? { address: 0, stride: 0 } : transposedOf(layer),
      accumulates,
      inputActivation: previous?.activation ?? 'identity',
      inputPre,
    };
  };
  hidden.forEach((layer, k) => {
    const output = block(layer.outputs);
    const pre = needsInput(layer.activation) ? bump.take(numRows * output.stride) : 0;
    const backward = backwardOf(layer, k, gradients[k % 2], false);
    records.push({ layer, input, output, isDense: false, pre, backward });
    input = output;
    inputPre = pre;
  });
  heads.forEach(({ layer, output, gradOutput }, h) => {
    // gradients flow from the last head to the first: the last one writes, the first adds and applies the derivative
    const isLast = h === heads.length - 1;
    const back = backwardOf(layer, hidden.length, gradOutput, !isLast);
    const backward = h === 0 ? back : { ...back, inputActivation: 'identity' as const, inputPre: 0 };
    records.push({ layer, input, output, isDense: true, pre: 0, backward });
  });
  const gradLatent = hidden.length > 0 ? gradients[(hidden.length - 1) % 2] : gradFirst;
  return { records, latent: input, latentPre: inputPre, gradLatent };
}

/** A tower's cells and the hidden layers before them, which run over all rows of a block of sequences. */
function planMemory(
  planned: SequenceScratch,
  { beforeCells }: PolicyLayers,
  tower: number,
  bump: Bump,
): CellsPlan {
  const layers = beforeCells[tower];
  const { records, latent, latentPre, gradLatent } = planTower(
    layers,
    [],
    planned.x,
    null,
    bump,
    planned.numRows,
  );
  const input = {
    ...{ x: latent, gradient: gradLatent, pre: latentPre },
    activation: layers.at(-1)?.activation ?? ('identity' as const),
  };
  const before = { address: bump.take(RECORD_BYTES * records.length), records };
  return planCells(planned, tower, input, before, bump);
}

function planThread(spec: PolicySpec, sequences: SequenceShape | null, base: number): ThreadPlan {
  const layers = policyLayers(spec);
  const bump = bumpFrom(base);
  const rows = planRows(spec, layers, bump);
  const stride = 4 * distributionSize(spec.distribution);
  const actorHead: Head = {
    layer: layers.actorHead,
    output: { address: rows.outputs, stride },
    gradOutput: { address: rows.gradOutputs, stride },
  };
  const criticHead: Head = {
    layer: layers.criticHead,
    output: { address: rows.values, stride: 4 },
    gradOutput: { address: rows.gradValues, stride: 4 },
  };
  const planned = sequences === null ? null : planSequences(spec, sequences, bump);
  const towers: TowerProgram[] = [];
  const add = (
    hidden: readonly DenseLayer[],
    heads: readonly Head[],
    hasActor: boolean,
    hasCritic: boolean,
  ) => {
    const cells = planned === null ? null : planMemory(planned, layers, towers.length, bump);
    const first = cells?.hidden ?? rows.observations;
    const { records, latent } = planTower(hidden, heads, first, cells?.gradHidden ?? null, bump);
    const address = bump.take(RECORD_BYTES * records.length);
    towers.push({ hasActor, hasCritic, address, numRecords: records.length, records, cells, latent });
  };
  if (layers.shared) add(layers.actorHidden, [actorHead, criticHead], true, true);
  else {
    if (layers.hasActor) add(layers.actorHidden, [actorHead], true, false);
    if (layers.hasCritic) add(layers.criticHidden, [criticHead], false, true);
  }
  return { rows, towers, sequences: planned, byteLength: bump.position + 64 - base };
}

/** Bytes of arena that one learning thread needs. */
export function threadScratchBytes(spec: PolicySpec, sequences: SequenceShape | null = null): number {
  return planThread(spec, sequences, 0).byteLength;
}

/** Plans a thread's scratch at `base` and writes its programs into it. */
export function createThreadPlan(
  spec: PolicySpec,
  buffer: ArrayBufferLike,
  base: number,
  sequences: SequenceShape | null = null,
): ThreadPlan {
  const plan = planThread(spec, sequences, base);
  for (const { address, records, cells } of plan.towers) {
    writeProgram(buffer, address, records);
    if (cells !== null && plan.sequences !== null) writeCellsPlan(buffer, cells, plan.sequences);
  }
  return plan;
}

/** Width of `latent` rows that an output gradient is shown: gSDE alone looks at them. */
export function shownLatentSize(spec: PolicySpec): number {
  return spec.distribution.kind === 'gsde' ? latentSize(spec) : 0;
}
