/**
 * Networks as the kernels read them: a list of fixed-size layer records in the arena.
 *
 * One record is a dense layer: where its parameters lie (offsets, so that one program serves every copy of the weights),
 * where its block of rows comes from and goes to, and where gradients flow on the way back.
 */

import { mlpParameterLayout } from '../policy/networks/mlp-parameters.ts';
import { recurrentTowers } from '../policy/networks/recurrent-state.ts';
import { type ActingSpec, type Activation, isKernelNetwork } from '../policy/policy-spec.ts';
import type { ParameterEntry } from '../weights/parameter-layout.ts';

/** Rows that go through all layers together: their activations stay in the first-level cache. */
export const BLOCK_ROWS = 64;

export const ACTIVATION_CODES: Readonly<Record<Activation, number>> = {
  identity: 0,
  tanh: 1,
  relu: 2,
  elu: 3,
  silu: 4,
  gelu: 5,
  'leaky-relu': 6,
  sigmoid: 7,
};

/** Activations whose derivative needs what went in, not what came out. */
export function needsInput(activation: Activation): boolean {
  return activation === 'silu' || activation === 'gelu';
}

/** A dense layer of the policy; offsets in bytes from the first parameter. */
export interface DenseLayer {
  readonly name: string;
  readonly inputs: number;
  readonly outputs: number;
  readonly activation: Activation;
  readonly kernelOffset: number;
  readonly biasOffset: number;
  /** Layer normalisation between product and activation, epsilon 1e-5; absent = none. Not for heads. */
  readonly normalization?: { readonly gainOffset: number; readonly shiftOffset: number };
}

/** With a shared trunk `criticHidden` is empty and the critic's head reads the actor's last hidden layer. */
export interface PolicyLayers {
  readonly shared: boolean;
  /** One of the two may be missing; its head is then the other's, which nobody runs as such. */
  readonly hasActor: boolean;
  readonly hasCritic: boolean;
  /** Hidden layers; of a recurrent policy those behind its cells. */
  readonly actorHidden: readonly DenseLayer[];
  readonly actorHead: DenseLayer;
  readonly criticHidden: readonly DenseLayer[];
  readonly criticHead: DenseLayer;
  /** Of a recurrent policy: hidden layers before the cells, for each tower with cells (src/policy/networks/recurrent-state.ts). */
  readonly beforeCells: readonly (readonly DenseLayer[])[];
  /** Bytes from the first parameter; 0 bytes long when the distribution has none. */
  readonly logStd: { readonly offset: number; readonly size: number };
  readonly parameterCount: number;
}

export function policyLayers(spec: ActingSpec): PolicyLayers {
  const { entries, size } = mlpParameterLayout(spec);
  const { network } = spec;
  if (!isKernelNetwork(network))
    throw new TypeError(`Expected an MLP or a recurrent network, got one of kind ${network.kind}.`);
  const byName = new Map(entries.map((entry) => [entry.name, entry]));
  const dense = (name: string, activation: Activation): DenseLayer => {
    const kernel = byName.get(`${name}/kernel`) as ParameterEntry;
    const bias = byName.get(`${name}/bias`) as ParameterEntry;
    const gain = byName.get(`${name}/gain`);
    const shift = byName.get(`${name}/shift`);
    const [inputs, outputs] = kernel.shape;
    return {
      name,
      inputs,
      outputs,
      activation,
      kernelOffset: 4 * kernel.offset,
      biasOffset: 4 * bias.offset,
      ...(gain !== undefined &&
        shift !== undefined && {
          normalization: { gainOffset: 4 * gain.offset, shiftOffset: 4 * shift.offset },
        }),
    };
  };
  const sizesBefore = network.kind === 'recurrent' ? (network.sizesBefore ?? []) : [];
  const before = (tower: string) => sizesBefore.map((_, k) => dense(`${tower}/${k}`, network.activation));
  const hidden = (tower: string) =>
    network.hiddenSizes.map((_, k) => dense(`${tower}/${sizesBefore.length + k}`, network.activation));
  const logStd = byName.get('logStd');
  const hasActor = spec.criticOnly !== true;
  const hasCritic = spec.actorOnly !== true;
  const shared = network.shared && hasActor && hasCritic;
  return {
    ...{ shared, hasActor, hasCritic },
    actorHidden: hasActor ? hidden(network.shared ? 'trunk' : 'actor') : [],
    actorHead: dense(hasActor ? 'actor/head' : 'critic/head', 'identity'),
    criticHidden: shared || !hasCritic ? [] : hidden('critic'),
    criticHead: dense(hasCritic ? 'critic/head' : 'actor/head', 'identity'),
    beforeCells: recurrentTowers(spec).map(before),
    logStd: { offset: 4 * (logStd?.offset ?? 0), size: logStd?.size ?? 0 },
    parameterCount: size,
  };
}

/** Bytes between rows of a scratch block: whole 64-byte lines, and not a power of two, which would collide in the cache. */
export function scratchStride(columns: number): number {
  const floats = Math.ceil(columns / 16) * 16;
  return 4 * (floats % 64 === 0 ? floats + 16 : floats);
}

/** A block of rows in scratch memory; `stride` in bytes. */
export interface Block {
  readonly address: number;
  readonly stride: number;
}

/** One record; addresses absolute, 0 = absent. */
export interface LayerRecord {
  readonly layer: DenseLayer;
  readonly input: Block;
  readonly output: Block;
  /** The output ends exactly at its last column (a head), so nothing may be stored beyond. */
  readonly isDense: boolean;
  /** Where inputs of the activation are kept, at the output's stride. */
  readonly pre: number;
  /** With `layer.normalization`, what its way back needs; absent: forward passes alone. */
  readonly normalization?: NormalizationScratch;
  /** Dropout: the product, bias included, is multiplied by this before anything else; f32 [64, outputs] at the output's stride. 0 = none; not for heads. */
  readonly mask?: number;
  readonly backward: BackwardRecord | null;
}

/** Addresses; written by the forward pass and by `transposeKernels`, read by the backward pass. */
export interface NormalizationScratch {
  /** Normalised rows, before gain and shift, at the output's stride. */
  readonly rows: number; // [64, outputs padded to 16] f32
  /** 1 / sqrt(variance + epsilon) of each row. */
  readonly inverseStd: number; // [64] f32
  /** The gain, copied by `transposeKernels`: a backward pass is not shown the parameters. 64 bytes behind it. */
  readonly gains: number; // [outputs] f32
}

/** Layers through two blocks in turn, for passes that nothing flows back through; what the last one gives is where `output` of its record says. */
export function chainLayers(
  layers: readonly DenseLayer[],
  from: Block,
  blocks: readonly [Block, Block],
): LayerRecord[] {
  let input = from;
  return layers.map((layer, k) => {
    const record = { layer, input, output: blocks[k % 2], isDense: false, pre: 0, backward: null };
    input = record.output;
    return record;
  });
}

export interface BackwardRecord {
  readonly gradOutput: Block;
  /** null: nobody needs the gradient of the input (a first layer, unless somebody asks what the network makes of its input). */
  readonly gradInput: Block | null;
  readonly transposed: Block;
  /** Adds to gradInput: a second head on one trunk. */
  readonly accumulates: boolean;
  /** The layer whose activation made the input; its derivative is applied by the last that writes gradInput. */
  readonly inputActivation: Activation;
  readonly inputPre: number;
}

const RECORD_WORDS = 27;
export const RECORD_BYTES = 4 * RECORD_WORDS;

function backwardWords(backward: BackwardRecord | null): readonly number[] {
  if (backward === null) return [0, 0, 0, 0, 0, 0, 0, 0, 0];
  return [
    backward.gradInput === null ? 0 : backward.transposed.address,
    backward.transposed.stride,
    backward.gradOutput.address,
    backward.gradOutput.stride,
    backward.gradInput?.address ?? 0,
    backward.gradInput?.stride ?? 0,
    backward.accumulates ? 1 : 0,
    ACTIVATION_CODES[backward.inputActivation],
    backward.inputPre,
  ];
}

function normalizationWords({ layer, normalization, isDense, backward }: LayerRecord): readonly number[] {
  if (layer.normalization === undefined) return [0, 0, 0, 0, 0, 0];
  if (isDense) throw new TypeError(`Layer ${layer.name} ends at its last column and cannot be normalised.`);
  if (backward !== null && normalization === undefined)
    throw new TypeError(`Layer ${layer.name} is normalised and needs scratch for the way back.`);
  const { gainOffset, shiftOffset } = layer.normalization;
  const { rows = 0, inverseStd = 0, gains = 0 } = normalization ?? {};
  return [1, gainOffset, shiftOffset, rows, inverseStd, gains];
}

/**
 * Writes the records as src/simd/assembly/network.ts reads them.
 *
 * @throws TypeError for a normalised or masked head, or a normalised layer with a way back and no scratch for it.
 */
export function writeProgram(
  buffer: ArrayBufferLike,
  address: number,
  records: readonly LayerRecord[],
): void {
  const words = new Uint32Array(buffer, address, RECORD_WORDS * records.length);
  records.forEach((record, k) => {
    const { layer, input, output, isDense, pre, backward, mask = 0 } = record;
    if (isDense && mask !== 0)
      throw new TypeError(`Layer ${layer.name} ends at its last column and cannot have a mask.`);
    const forward = [
      layer.kernelOffset,
      layer.biasOffset,
      layer.inputs,
      layer.outputs,
      ACTIVATION_CODES[layer.activation],
      input.address,
      input.stride,
      output.address,
      output.stride,
      pre,
      isDense ? 1 : 0,
    ];
    words.set(
      [...forward, ...backwardWords(backward), ...normalizationWords(record), mask],
      RECORD_WORDS * k,
    );
  });
}
