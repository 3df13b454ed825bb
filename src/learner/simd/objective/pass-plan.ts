/** One thread's scratch for one way through a network: what is packed, activations, gradients, and the program over them. */
import type { ModelSpec, ParameterRange } from '../../../policy/networks/model.ts';
import { type ModelLayout, networkNamed, widthOf } from '../../../policy/networks/model.ts';
import {
  type BackwardRecord,
  type Block,
  type DenseLayer,
  type LayerRecord,
  type NormalizationScratch,
  needsInput,
  scratchStride,
} from '../../../simd/layer-program.ts';
import type { ParameterEntry } from '../../../weights/parameter-layout.ts';
import type { PassOptions } from '../../objective.ts';

/** Hands out addresses, one after the other, in whole cache lines. */
export interface Scratch {
  take(bytes: number): number;
  /** Rows of the largest block: what arrays have room for. */
  readonly blockRows: number;
}

/** What passes of one thread share, since only one of them is under way at a time. */
export interface SharedBlocks {
  /** Activations of passes through which nothing flows back. */
  readonly hidden: readonly [Block, Block];
  /** Gradients on their way down. */
  readonly gradients: readonly [Block, Block];
  /** Transposed kernels by layer name. */
  readonly transposed: Map<string, Block>;
  /** Copies of gains by layer name; f32 [outputs]. */
  readonly gains: Map<string, number>;
}

/** What a recurrent cell before the layers hands to them. */
export interface CellOutput {
  /** What they read, f32 [rows, H]; behind the H numbers of a row is room for the network's other inputs. */
  readonly hidden: Block;
  /** Where they leave the gradient of that; null = nothing flows back. */
  readonly gradHidden: Block | null;
}

/** A hidden layer's mask of dropout, f32 [blockRows, numUnits] at a stride in bytes. */
export interface LayerMask {
  readonly address: number;
  readonly stride: number;
  readonly numUnits: number;
}

export interface PassPlan {
  readonly range: ParameterRange;
  readonly records: readonly LayerRecord[];
  readonly outputs: Block;
  readonly gradOutputs: Block | null;
  readonly gradInput: Block | null;
  readonly latent: Block;
  /** Of hidden layers, in order; empty without dropout. */
  readonly masks: readonly LayerMask[];
}

export function scratchBlock(scratch: Scratch, columns: number): Block {
  const stride = scratchStride(columns);
  return { address: scratch.take(scratch.blockRows * stride + 64), stride };
}

/** Rows end exactly at their last column. */
function denseBlock(scratch: Scratch, columns: number): Block {
  return { address: scratch.take(4 * scratch.blockRows * columns + 64), stride: 4 * columns };
}

/** The dense layers of a network, or of a target. */
export function denseLayers(name: string, model: ModelSpec, layout: ModelLayout): DenseLayer[] {
  const { trunk } = networkNamed(model, name);
  if (trunk.kind !== 'mlp')
    throw new TypeError(`Expected dense layers in ${name}: the kernels know no convolutions.`);
  const byName = new Map(layout.entries.map((entry) => [entry.name, entry]));
  const layer = (k: string, isHead: boolean): DenseLayer => {
    const kernel = byName.get(`${name}/${k}/kernel`) as ParameterEntry;
    const bias = byName.get(`${name}/${k}/bias`) as ParameterEntry;
    const [inputs, outputs] = kernel.shape;
    const gain = byName.get(`${name}/${k}/gain`);
    const shift = byName.get(`${name}/${k}/shift`);
    const isNormalized = gain !== undefined && shift !== undefined;
    return {
      ...(isNormalized && { normalization: { gainOffset: 4 * gain.offset, shiftOffset: 4 * shift.offset } }),
      name: `${name}/${k}`,
      inputs,
      outputs,
      activation: isHead ? 'identity' : trunk.activation,
      kernelOffset: 4 * kernel.offset,
      biasOffset: 4 * bias.offset,
    };
  };
  return [...trunk.hiddenSizes.map((_, k) => layer(`${k}`, false)), layer('head', true)];
}

/** Where the transposed kernel `name` lies, f32 [outputs, inputs]: in one place for all passes of a thread. */
export function transposedBlock(
  { transposed }: SharedBlocks,
  scratch: Scratch,
  { name, inputs, outputs }: Pick<DenseLayer, 'name' | 'inputs' | 'outputs'>,
): Block {
  const stride = scratchStride(inputs);
  const block = transposed.get(name) ?? { address: scratch.take(outputs * stride + 64), stride };
  transposed.set(name, block);
  return block;
}

/** What a layer's way back needs; copies of parameters are shared by all passes of a thread. */
function createBackwardScratch(shared: SharedBlocks, scratch: Scratch) {
  return {
    transposedOf: (layer: DenseLayer) => transposedBlock(shared, scratch, layer),
    normalizationOf({ name, outputs }: DenseLayer, { stride }: Block): NormalizationScratch {
      const gains = shared.gains.get(name) ?? scratch.take(4 * outputs + 64);
      shared.gains.set(name, gains);
      const rows = scratch.take(scratch.blockRows * stride);
      return { rows, inverseStd: scratch.take(4 * scratch.blockRows), gains };
    },
  };
}

/** The pass's dropout: rate and draw; null = it drops nothing. */
export function dropoutOf({ network, dropout: draw }: PassOptions, model: ModelSpec) {
  const { trunk } = networkNamed(model, network);
  if (draw === undefined || trunk.kind !== 'mlp' || trunk.dropout === undefined) return null;
  return { rate: trunk.dropout, draw };
}

/** Plans a pass over rows that are packed in `input`. @param cell what the layers read instead; null = none. */
export function planPass(
  options: PassOptions,
  input: Block,
  model: ModelSpec,
  layout: ModelLayout,
  shared: SharedBlocks,
  scratch: Scratch,
  cell: CellOutput | null = null,
): PassPlan {
  const { network, gradient = 'none' } = options;
  const layers = denseLayers(network, model, layout);
  const flowsBack = gradient !== 'none';
  const wantsInput = gradient === 'inputs' || gradient === 'both';
  const numOutputs = layers[layers.length - 1].outputs;
  const outputs = denseBlock(scratch, numOutputs);
  const gradOutputs = flowsBack ? denseBlock(scratch, numOutputs) : null;
  const gradInput =
    cell !== null
      ? cell.gradHidden
      : wantsInput
        ? scratchBlock(scratch, widthOf(model, networkNamed(model, network).inputs))
        : null;
  const { transposedOf, normalizationOf } = createBackwardScratch(shared, scratch);
  const masks: LayerMask[] = [];
  const maskOf = ({ outputs: numUnits }: DenseLayer, { stride }: Block): number => {
    const address = scratch.take(scratch.blockRows * stride + 64);
    masks.push({ address, stride, numUnits });
    return address;
  };
  const drops = dropoutOf(options, model) !== null;
  let from = cell?.hidden ?? input;
  let fromPre = 0;
  const records = layers.map((layer, k): LayerRecord => {
    const isHead = k === layers.length - 1;
    const hidden = () => (flowsBack ? scratchBlock(scratch, layer.outputs) : shared.hidden[k % 2]);
    const output = isHead ? outputs : hidden();
    const pre =
      flowsBack && needsInput(layer.activation) ? scratch.take(scratch.blockRows * output.stride) : 0;
    const target = k === 0 ? gradInput : shared.gradients[(k - 1) % 2];
    const backward: BackwardRecord = {
      gradOutput: isHead && gradOutputs !== null ? gradOutputs : shared.gradients[k % 2],
      gradInput: target,
      transposed: target === null || !flowsBack ? NOWHERE : transposedOf(layer),
      accumulates: false,
      inputActivation: layers[k - 1]?.activation ?? 'identity',
      inputPre: fromPre,
    };
    const record: LayerRecord = {
      ...{ layer, input: from, output, isDense: isHead, pre },
      ...(flowsBack && layer.normalization && { normalization: normalizationOf(layer, output) }),
      ...(drops && !isHead && { mask: maskOf(layer, output) }),
      backward: flowsBack ? backward : null,
    };
    if (!isHead) {
      from = output;
      fromPre = pre;
    }
    return record;
  });
  return { range: layout.ranges[network], records, outputs, gradOutputs, gradInput, latent: from, masks };
}

const NOWHERE: Block = { address: 0, stride: 0 };
