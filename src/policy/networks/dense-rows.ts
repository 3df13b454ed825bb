/** Dense layers over one row in float64, without allocating: the parts of the plain forward passes. */
import type { ObservationStatistics } from '../../weights/observation-statistics.ts';
import type { ParameterEntry, ParameterLayout } from '../../weights/parameter-layout.ts';
import type { ActingSpec, Activation } from '../policy-spec.ts';
import type { FindTensor, RowLayer, RowOutputs } from './row-outputs.ts';

/** Added to the variance of layer normalisation. */
export const LAYER_NORM_EPSILON = 1e-5;
const GELU = Math.sqrt(2 / Math.PI);
export const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));

export const ACTIVATIONS: Readonly<Record<Activation, (x: number) => number>> = {
  identity: (x) => x,
  tanh: Math.tanh,
  relu: (x) => Math.max(x, 0),
  elu: (x) => (x > 0 ? x : Math.expm1(x)),
  silu: (x) => x * sigmoid(x),
  gelu: (x) => (x / 2) * (1 + Math.tanh(GELU * (x + 0.044715 * x * x * x))),
  'leaky-relu': (x) => (x > 0 ? x : 0.01 * x),
  sigmoid,
};

export function activateRow(y: Float64Array, activation: Activation): void {
  const activate = ACTIVATIONS[activation];
  for (let j = 0; j < y.length; j++) y[j] = activate(y[j]);
}

export function openTensors({ entries }: ParameterLayout, parameters: Float32Array): FindTensor {
  const byName = new Map(entries.map((entry) => [entry.name, entry]));
  return (name) => {
    const { offset, size } = byName.get(name) as ParameterEntry;
    return parameters.subarray(offset, offset + size);
  };
}

/** x W + b, W row-major [in, out]. */
export function openDense(tensor: FindTensor, name: string): RowLayer {
  const kernel = tensor(`${name}/kernel`);
  const bias = tensor(`${name}/bias`);
  const numOutputs = bias.length;
  const y = new Float64Array(numOutputs); // [out] f64
  return (x) => {
    y.set(bias);
    for (let i = 0, at = 0; i < x.length; i++, at += numOutputs) {
      const xi = x[i];
      for (let j = 0; j < numOutputs; j++) y[j] += xi * kernel[at + j];
    }
    return y;
  };
}

/** Normalises the D elements of `from` that begin at `at` into `to`, which may be the same. */
export type RowNorm = (from: Float32Array | Float64Array, at: number, to: Float64Array, toAt: number) => void;

/** Over the units of one layer (Ba et al. 2016). */
export function openLayerNorm(tensor: FindTensor, name: string): RowNorm {
  const [gain, shift] = [tensor(`${name}/gain`), tensor(`${name}/shift`)];
  const D = gain.length;
  return (from, at, to, toAt) => {
    let mean = 0;
    for (let j = 0; j < D; j++) mean += from[at + j];
    mean /= D;
    let variance = 0;
    for (let j = 0; j < D; j++) variance += (from[at + j] - mean) ** 2;
    const scale = 1 / Math.sqrt(variance / D + LAYER_NORM_EPSILON);
    for (let j = 0; j < D; j++) to[toAt + j] = (from[at + j] - mean) * scale * gain[j] + shift[j];
  };
}

export interface TowerOptions {
  readonly name: string;
  readonly numLayers: number;
  /** Which layer of the tower is the first of them; default 0. */
  readonly from?: number;
  readonly activation: Activation;
  readonly layerNorm: boolean | undefined;
}

/** Hidden layers, one behind the other; without any, what goes in comes out. */
export function openTower(
  tensor: FindTensor,
  { name, numLayers, from = 0, activation, layerNorm }: TowerOptions,
): RowLayer {
  const layers = Array.from({ length: numLayers }, (_, k): RowLayer => {
    const layer = `${name}/${from + k}`;
    const dense = openDense(tensor, layer);
    const norm = layerNorm ? openLayerNorm(tensor, layer) : null;
    return (x) => {
      const y = dense(x);
      norm?.(y, 0, y, 0);
      activateRow(y, activation);
      return y;
    };
  });
  return (x) => {
    let y = x;
    for (const layer of layers) y = layer(y);
    return y;
  };
}

/** x' = clip((x - mean) * inverseStd, +-clip), or x as it is. */
export function openObservation(
  { observationSize, normalizeObservations, clipObservation: clip }: ActingSpec,
  statistics: ObservationStatistics | null,
): (observation: ArrayLike<number>) => Float64Array {
  const x = new Float64Array(observationSize); // [obsSize] f64
  if (!normalizeObservations || statistics === null) {
    return (observation) => {
      x.set(observation);
      return x;
    };
  }
  const { mean, inverseStd } = statistics;
  return (observation) => {
    for (let i = 0; i < observationSize; i++) {
      x[i] = Math.min(clip, Math.max(-clip, (observation[i] - mean[i]) * inverseStd[i]));
    }
    return x;
  };
}

/** Both heads of a policy over its last hidden layers. */
export interface RowHeads {
  /** f32 [A], or [H, A] with gSDE; null without. */
  readonly logStd: Float32Array | null;
  readonly actor: RowLayer;
  /** From the row's input or latent layer to the value; null = no value head. */
  readonly critic: RowLayer | null;
}

/**
 * @param latentOf the row's last hidden layer of the actor.
 * @param criticInput what the critic's layers are given.
 */
export function openRowOutputs(
  { logStd, actor, critic }: RowHeads,
  numOutputs: number,
): (latent: Float64Array, criticInput: Float64Array) => RowOutputs {
  const outputs = new Float32Array(numOutputs); // [P] f32
  let criticInput = new Float64Array(0);
  const row = {
    outputs,
    latent: new Float64Array(0),
    logStd,
    get value(): number | null {
      return critic === null ? null : critic(criticInput)[0];
    },
  };
  return (latent, input) => {
    outputs.set(actor(latent));
    row.latent = latent as Float64Array<ArrayBuffer>;
    criticInput = input as Float64Array<ArrayBuffer>;
    return row;
  };
}
