/** One row through an MLP in plain float64: for looking at a policy, where a kernel's speed is not needed and its outputs are wanted. */
import type { ObservationStatistics } from '../../weights/observation-statistics.ts';
import type { ParameterEntry } from '../../weights/parameter-layout.ts';
import type { ActingSpec, Activation, MlpSpec } from '../policy-spec.ts';
import { mlpParameterLayout } from './mlp-parameters.ts';

/** What a network says of one observation. */
export interface RowOutputs {
  /** Distribution parameters. */
  readonly outputs: Float32Array; // [P] f32
  /** null = the policy has no value head. */
  readonly value: number | null;
  /** The actor's last hidden layer. */
  readonly latent: Float64Array; // [H] f64
  /** f32 [A], or [H, A] row-major with gSDE; null without. */
  readonly logStd: Float32Array | null;
}

const LAYER_NORM_EPSILON = 1e-5;
const GELU = Math.sqrt(2 / Math.PI);
const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));

const ACTIVATIONS: Readonly<Record<Activation, (x: number) => number>> = {
  identity: (x) => x,
  tanh: Math.tanh,
  relu: (x) => Math.max(x, 0),
  elu: (x) => (x > 0 ? x : Math.expm1(x)),
  silu: (x) => x * sigmoid(x),
  gelu: (x) => (x / 2) * (1 + Math.tanh(GELU * (x + 0.044715 * x * x * x))),
  'leaky-relu': (x) => (x > 0 ? x : 0.01 * x),
  sigmoid,
};

/**
 * Opens the forward pass of an MLP policy. It agrees with the kernels up to float32 rounding.
 *
 * @returns a function of one raw flat observation [obsSize]. Cost: some 20 us for 2 x 64. Thread: any.
 */
export function openMlpForward(
  spec: ActingSpec & { readonly network: MlpSpec },
  parameters: Float32Array,
  statistics: ObservationStatistics | null,
): (observation: ArrayLike<number>) => RowOutputs {
  const { hiddenSizes, activation, shared, layerNorm } = spec.network;
  const entries = new Map(mlpParameterLayout(spec).entries.map((entry) => [entry.name, entry]));
  const tensor = (name: string): Float32Array => {
    const { offset, size } = entries.get(name) as ParameterEntry;
    return parameters.subarray(offset, offset + size);
  };
  const hidden = (name: string, x: Float64Array): Float64Array => {
    const y = dense(x, tensor(`${name}/kernel`), tensor(`${name}/bias`));
    if (layerNorm === true) normalizeLayer(y, tensor(`${name}/gain`), tensor(`${name}/shift`));
    return y.map(ACTIVATIONS[activation]);
  };
  const tower = (name: string, x: Float64Array) =>
    hiddenSizes.reduce((y, _, k) => hidden(`${name}/${k}`, y), x);
  const head = (name: string, x: Float64Array) => dense(x, tensor(`${name}/kernel`), tensor(`${name}/bias`));
  const logStd = entries.has('logStd') ? tensor('logStd') : null;
  return (observation) => {
    const x = normalizeObservation(spec, statistics, observation);
    const latent = tower(shared ? 'trunk' : 'actor', x);
    const outputs = Float32Array.from(head('actor/head', latent));
    if (spec.actorOnly === true) return { outputs, value: null, latent, logStd };
    const [value] = head('critic/head', shared ? latent : tower('critic', x));
    return { outputs, value, latent, logStd };
  };
}

/** x W + b, W row-major [in, out]. */
function dense(x: Float64Array, kernel: Float32Array, bias: Float32Array): Float64Array {
  const y = Float64Array.from(bias); // [out] f64
  for (let i = 0; i < x.length; i++) {
    for (let j = 0; j < y.length; j++) y[j] += x[i] * kernel[i * y.length + j];
  }
  return y;
}

/** In place, over the units of one layer (Ba et al. 2016). */
function normalizeLayer(y: Float64Array, gain: Float32Array, shift: Float32Array): void {
  const mean = y.reduce((sum, v) => sum + v, 0) / y.length;
  const variance = y.reduce((sum, v) => sum + (v - mean) ** 2, 0) / y.length;
  const scale = 1 / Math.sqrt(variance + LAYER_NORM_EPSILON);
  for (let j = 0; j < y.length; j++) y[j] = (y[j] - mean) * scale * gain[j] + shift[j];
}

function normalizeObservation(
  { normalizeObservations, clipObservation: clip }: ActingSpec,
  statistics: ObservationStatistics | null,
  observation: ArrayLike<number>,
): Float64Array {
  const x = Float64Array.from(observation); // [obsSize] f64
  if (!normalizeObservations || statistics === null) return x;
  const { mean, inverseStd } = statistics;
  return x.map((value, i) => Math.min(clip, Math.max(-clip, (value - mean[i]) * inverseStd[i])));
}
