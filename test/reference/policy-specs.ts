/** Specs and random numbers for tests of policies. */

import { inProcessLayout } from '../../src/policy/networks/attention-parameters.ts';
import type {
  ActingSpec,
  Activation,
  BehaviourSpec,
  DistributionSpec,
  PolicySpec,
  ProductHead,
} from '../../src/policy/policy-spec.ts';
import { openStream, type Stream } from '../../src/random/streams.ts';

export interface SpecOptions {
  observationSize?: number;
  observationDtype?: 'float32' | 'uint8';
  hiddenSizes?: readonly number[];
  activation?: Activation;
  shared?: boolean;
  masks?: boolean;
  normalize?: boolean;
  clip?: number;
  layerNorm?: boolean;
  /** A cell of so many units before the hidden layers. */
  cell?: 'lstm' | 'gru';
  cellSize?: number;
  numLayers?: number;
  sizesBefore?: readonly number[];
}

export function makeSpec(distribution: DistributionSpec, options: SpecOptions = {}): PolicySpec {
  const { observationSize = 4, masks = false } = options;
  const numLogits = (distribution.kind === 'product' ? distribution.heads : [distribution])
    .flatMap((head) => (head.kind === 'categorical' ? head.sizes : []))
    .reduce((a, b) => a + b, 0);
  const layers = {
    hiddenSizes: options.hiddenSizes ?? [64, 64],
    activation: options.activation ?? ('tanh' as const),
    shared: options.shared ?? false,
  };
  return {
    observationSize,
    observationDtype: options.observationDtype ?? 'float32',
    observationShape: [observationSize],
    actionMaskSize: masks ? numLogits : 0,
    network:
      options.cell === undefined
        ? { kind: 'mlp', ...layers, ...(options.layerNorm === true && { layerNorm: true }) }
        : {
            ...{ kind: 'recurrent', cell: options.cell, size: options.cellSize ?? 16, ...layers },
            ...(options.numLayers !== undefined && { numLayers: options.numLayers }),
            ...(options.sizesBefore !== undefined && { sizesBefore: options.sizesBefore }),
          },
    distribution,
    normalizeObservations: options.normalize ?? false,
    clipObservation: options.clip ?? 10,
    initialization: { orthogonal: true, hiddenGain: Math.SQRT2, policyGain: 0.01, valueGain: 1, logStd: 0 },
  };
}

/** A policy without a value head. */
export function makeActingSpec(
  distribution: BehaviourSpec | DistributionSpec,
  options: SpecOptions = {},
): ActingSpec {
  const numLogits = 'sizes' in distribution ? distribution.sizes.reduce((a, b) => a + b, 0) : 0;
  const actionMaskSize = options.masks === true ? numLogits : 0;
  return { ...makeSpec(categorical(2), options), distribution, actionMaskSize, actorOnly: true };
}

const bounds = (size: number) => ({
  low: new Array<number>(size).fill(-1),
  high: new Array<number>(size).fill(1),
});
export const categorical = (...sizes: number[]): DistributionSpec => ({ kind: 'categorical', sizes });
export const bernoulli = (size: number): DistributionSpec => ({ kind: 'bernoulli', size });
export const gaussian = (size: number, squash = false): DistributionSpec => ({
  kind: 'gaussian',
  size,
  squash,
  ...bounds(size),
});
export const gsde = (size: number, squash = false): DistributionSpec => ({
  kind: 'gsde',
  size,
  squash,
  sampleFrequency: 4,
  ...bounds(size),
});

/** Whether masks may lie over it. */
export const hasChoices = (distribution: DistributionSpec): boolean =>
  distribution.kind === 'product' ? distribution.heads.some(hasChoices) : distribution.kind === 'categorical';

/** Noise of one row, in the order of the elements: uniforms or normals. */
export function drawNoise(distribution: DistributionSpec, size: number, stream: Stream): number[] {
  if (distribution.kind === 'product')
    return distribution.heads.flatMap((head) =>
      drawNoise(head, head.kind === 'categorical' ? head.sizes.length : head.size, stream),
    );
  const isUniform = distribution.kind === 'categorical' || distribution.kind === 'bernoulli';
  return Array.from({ length: size }, () => (isUniform ? stream.uniform() : stream.normal()));
}

export const product = (...heads: DistributionSpec[]): DistributionSpec => ({
  kind: 'product',
  heads: heads as ProductHead[],
});

export const DISTRIBUTIONS: readonly (readonly [string, DistributionSpec])[] = [
  ['categorical', categorical(2)],
  ['wide categorical', categorical(19)],
  ['multi-categorical', categorical(3, 2, 7)],
  ['bernoulli', bernoulli(5)],
  ['gaussian', gaussian(3)],
  ['squashed gaussian', gaussian(2, true)],
  ['gsde', gsde(3)],
  ['squashed gsde', gsde(1, true)],
  ['product', product(gaussian(1), categorical(3, 2), bernoulli(2), gaussian(2, true), categorical(4))],
];

export const ACTIVATION_NAMES: readonly Activation[] = [
  'tanh',
  'relu',
  'elu',
  'silu',
  'gelu',
  'leaky-relu',
  'sigmoid',
  'identity',
];

/** Parameters of about the size that training gives: kernels ~ N(0, 1/inputs), biases and logStd small; padding zero. */
export function randomParameters(
  spec: ActingSpec,
  stream: Stream = openStream(1, 'parameters'),
): Float32Array {
  const layout = inProcessLayout(spec);
  const parameters = new Float32Array(layout.size);
  for (const { name, offset, size, shape } of layout.entries) {
    const scale =
      name.endsWith('kernel') || /\/cell\/.*(input|state)$/.test(name) ? 1 / Math.sqrt(shape[0]) : 0.2;
    const shift = name === 'logStd' ? -0.7 : 0;
    for (let k = 0; k < size; k++) parameters[offset + k] = shift + scale * stream.normal();
  }
  return parameters;
}

/** (x - mean) * inverseStd, clipped, when the spec says so; float64 rows. */
export function normalizedRows(
  spec: PolicySpec,
  observations: ArrayLike<number>,
  numRows: number,
  mean: Float32Array,
  inverseStd: Float32Array,
): number[][] {
  const size = spec.observationSize;
  return Array.from({ length: numRows }, (_, r) =>
    Array.from({ length: size }, (_, j) => {
      const x = observations[r * size + j];
      if (!spec.normalizeObservations) return x;
      const scaled = (x - mean[j]) * inverseStd[j];
      return Math.min(Math.max(scaled, -spec.clipObservation), spec.clipObservation);
    }),
  );
}
