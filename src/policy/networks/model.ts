/**
 * What an algorithm's networks are, as plain JSON: it crosses threads, lies in checkpoints, and every engine builds them from it.
 *
 * A model is a record of named networks over one flat parameter vector. Those of an actor-critic method, say:
 *
 *     actor(observation) -> distribution parameters      q1, q2(observation, action) -> value      target/q1, target/q2: copies
 */
import { createParameterLayout, type ParameterEntry } from '../../weights/parameter-layout.ts';
import type { Activation } from '../policy-spec.ts';
import { cellShapes } from './cell-shapes.ts';

/** Something that a network reads. */
export interface ModelInput {
  /** Elements per row. */
  readonly size: number;
  readonly dtype: 'float32' | 'uint8';
  /** [height, width, channels] for images, else [size]. */
  readonly shape: readonly number[];
  /** x' = clip((x - mean) * inverseStd, +-clipObservation) with the statistics of the update, before anything reads it. */
  readonly isNormalized: boolean;
}

/** Dense layers; with `layerNorm` each hidden one is normalised over its units before the activation (Ba et al. 2016). */
export interface MlpTrunk {
  readonly kind: 'mlp';
  readonly hiddenSizes: readonly number[];
  readonly activation: Activation;
  readonly layerNorm: boolean;
  /** Rate at which learning drops hidden units (`src/learner/dropout.ts`), in (0, 1); whatever acts drops none. Absent = none. SIMD engine only. */
  readonly dropout?: number;
  /** A recurrent cell before the hidden layers: rows of a batch are sequences then (`ObjectiveSpec.sequences`). Absent = none. SIMD engine only. */
  readonly cell?: ModelCell;
}

/**
 * A recurrent cell on a network's first input; the others stand beside its hidden state, before the layers: a critic's cell reads what is seen, not what is done.
 * Parameters as in a policy (mlp-parameters.ts): `<name>/cell/input`, ...
 */
export interface ModelCell {
  readonly kind: 'lstm' | 'gru';
  /** Units. */
  readonly size: number;
}

/** Convolutions [filters, kernelSize, stride] with relu over the first input, then dense layers; TensorFlow engine only. */
export interface ConvTrunk {
  readonly kind: 'conv';
  readonly layers: readonly (readonly [number, number, number])[];
  readonly hiddenSizes: readonly number[];
  readonly activation: Activation;
}

export interface ModelNetwork {
  /** Names of `ModelSpec.inputs`; their rows stand side by side in this order. A cell reads the first alone. */
  readonly inputs: readonly string[];
  readonly trunk: MlpTrunk | ConvTrunk;
  /** Outputs per row; the last layer has no activation. */
  readonly outputs: number;
  /**
   * Noisy dense layers (parameter-noise.ts), of deviations that begin at this over sqrt(inputs) and are trained: `noise/<name>`, right
   * behind the network in the vector. Absent = plain layers.
   */
  readonly initialDeviation?: number;
}

/** Parameters that belong to no layer: a temperature, standard deviations. */
export interface FreeParameters {
  readonly shape: readonly number[];
  readonly initial: number;
}

export interface ModelSpec {
  readonly inputs: Readonly<Record<string, ModelInput>>;
  /** Networks that are trained, in the order in which they lie in the vector. */
  readonly networks: Readonly<Record<string, ModelNetwork>>;
  readonly free: Readonly<Record<string, FreeParameters>>;
  /** Copies that follow a network, or its deviations, and are not trained: `{ 'target/q1': 'q1', 'noise/target/q1': 'noise/q1' }`. */
  readonly targets: Readonly<Record<string, string>>;
  /** Bound of normalised inputs, +-. */
  readonly clipObservation: number;
}

/** Where a network, a target or free parameters lie; in elements. */
export interface ParameterRange {
  readonly offset: number;
  readonly size: number;
}

/** The flat vector: networks (each with its deviations), then free parameters, then targets. */
export interface ModelLayout {
  readonly entries: readonly ParameterEntry[];
  /** Elements in all, padding included. */
  readonly size: number;
  /** The first `trainedSize` elements are what optimizers step. */
  readonly trainedSize: number;
  /** By name of a network, a target or free parameters; contiguous. */
  readonly ranges: Readonly<Record<string, ParameterRange>>;
}

/** q1, q2, ...: names of networks that are alike. */
export function criticNames(numCritics: number): string[] {
  return Array.from({ length: numCritics }, (_, k) => `q${k + 1}`);
}

/** Where the deviations of a noisy network, or of its target, go by. */
export function deviationsOf(network: string): string {
  return `noise/${network}`;
}

/** What a network's cell reads or, without one, its first layer; and what stands beside the cell's hidden state. Names of inputs. */
export function inputParts({ inputs, trunk }: ModelNetwork): {
  readonly first: readonly string[];
  readonly beside: readonly string[];
} {
  const numFirst = trunk.kind === 'mlp' && trunk.cell !== undefined ? 1 : inputs.length;
  return { first: inputs.slice(0, numFirst), beside: inputs.slice(numFirst) };
}

/** Elements of some inputs side by side. */
export function widthOf({ inputs }: Pick<ModelSpec, 'inputs'>, names: readonly string[]): number {
  return names.reduce((sum, name) => sum + inputs[name].size, 0);
}

/** The network that a name means; a target's is its source's. */
export function networkNamed(model: ModelSpec, name: string): ModelNetwork {
  const network = model.networks[model.targets[name] ?? name];
  if (network === undefined) {
    const names = [...Object.keys(model.networks), ...Object.keys(model.targets)];
    throw new TypeError(`Expected a network of the model (${names.join(', ')}), got ${name}.`);
  }
  return network;
}

/** Sides after each convolution, valid padding. */
function convTensors(prefix: string, trunk: ConvTrunk, shape: readonly number[]) {
  let [height, width, channels] = shape;
  const tensors = trunk.layers.flatMap(([filters, kernelSize, stride], k) => {
    const kernel = [kernelSize, kernelSize, channels, filters];
    height = Math.floor((height - kernelSize) / stride) + 1;
    width = Math.floor((width - kernelSize) / stride) + 1;
    channels = filters;
    return [
      { name: `${prefix}/conv${k}/kernel`, shape: kernel },
      { name: `${prefix}/conv${k}/bias`, shape: [filters] },
    ];
  });
  return { tensors, size: height * width * channels };
}

/**
 * A network's tensors: `<name>/<k>/kernel` [in, out], `<name>/<k>/bias` [out], with layer normalisation `<name>/<k>/gain` and
 * `<name>/<k>/shift` [out], convolutions `<name>/conv<k>/...`; the last layer is `<name>/head/...`.
 */
function networkTensors(name: string, model: ModelSpec, network: ModelNetwork) {
  const { trunk } = network;
  const tensors: { name: string; shape: readonly number[] }[] = [];
  const { first, beside } = inputParts(network);
  let width = widthOf(model, first);
  if (trunk.kind === 'conv') {
    const [image, ...others] = network.inputs.map((input) => model.inputs[input]);
    const convolutions = convTensors(name, trunk, image.shape);
    tensors.push(...convolutions.tensors);
    width = convolutions.size + others.reduce((sum, { size }) => sum + size, 0);
  }
  const dense = (layer: string, outputs: number) => {
    tensors.push({ name: `${name}/${layer}/kernel`, shape: [width, outputs] });
    tensors.push({ name: `${name}/${layer}/bias`, shape: [outputs] });
    width = outputs;
  };
  if (trunk.kind === 'mlp' && trunk.cell !== undefined) {
    tensors.push(...cellShapes(`${name}/cell`, trunk.cell, width));
    width = trunk.cell.size + widthOf(model, beside);
  }
  trunk.hiddenSizes.forEach((size, k) => {
    dense(`${k}`, size);
    if (trunk.kind === 'mlp' && trunk.layerNorm) {
      tensors.push(
        { name: `${name}/${k}/gain`, shape: [size] },
        { name: `${name}/${k}/shift`, shape: [size] },
      );
    }
  });
  dense('head', network.outputs);
  return tensors;
}

/** Deviations of the dense layers alone, as `<name>/<k>/kernel` and `<name>/<k>/bias`. */
function deviationTensors(name: string, model: ModelSpec, network: ModelNetwork) {
  return networkTensors(name, model, network).filter(({ name: tensor }) => {
    const [layer, part] = tensor.slice(name.length + 1).split('/');
    return !layer.startsWith('conv') && (part === 'kernel' || part === 'bias');
  });
}

/** What a target copies: a network's tensors, or its deviations'. */
function targetTensors(name: string, model: ModelSpec) {
  const noisy = Object.keys(model.networks).find((network) => deviationsOf(network) === model.targets[name]);
  return noisy === undefined
    ? networkTensors(name, model, networkNamed(model, name))
    : deviationTensors(name, model, model.networks[noisy]);
}

/** The layout of a model's flat parameter vector. */
export function modelLayout(model: ModelSpec): ModelLayout {
  const owners: string[] = [];
  const tensors: { name: string; shape: readonly number[] }[] = [];
  const add = (owner: string, added: readonly { name: string; shape: readonly number[] }[]) => {
    tensors.push(...added);
    owners.push(...added.map(() => owner));
  };
  for (const [name, network] of Object.entries(model.networks)) {
    add(name, networkTensors(name, model, network));
    const noise = deviationsOf(name);
    if (network.initialDeviation !== undefined) add(noise, deviationTensors(noise, model, network));
  }
  for (const [name, { shape }] of Object.entries(model.free)) add(name, [{ name, shape }]);
  const numTrained = tensors.length;
  for (const name of Object.keys(model.targets)) add(name, targetTensors(name, model));
  const { entries, size } = createParameterLayout(tensors);
  const ranges: Record<string, ParameterRange> = {};
  entries.forEach(({ offset }, k) => {
    const end = entries[k + 1]?.offset ?? size;
    const range = ranges[owners[k]] ?? { offset, size: 0 };
    ranges[owners[k]] = { offset: range.offset, size: end - range.offset };
  });
  return { entries, size, trainedSize: entries[numTrained]?.offset ?? size, ranges };
}
