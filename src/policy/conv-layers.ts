/** Shapes and parameters of convolutional networks. */
import { ConfigError } from '../errors.ts';
import { createParameterLayout, type ParameterLayout } from '../weights/parameter-layout.ts';
import { type ActingSpec, type ConvSpec, distributionSize, freeLogStdSize } from './policy-spec.ts';

/** One convolution, valid padding. */
export interface ConvLayer {
  /** `trunk/conv0`, ... */
  readonly name: string;
  readonly kernelShape: readonly [height: number, width: number, inputs: number, filters: number];
  readonly stride: number;
  /** [height, width, filters] of what comes out. */
  readonly outputShape: readonly [number, number, number];
}

/**
 * The convolutions of a network, first to last. A side of n becomes floor((n - kernel) / stride) + 1.
 *
 * @throws ConfigError `CONFIG_CONV_SHAPE` when observations are no images, or a kernel does not fit.
 */
export function convLayers({ layers }: ConvSpec, observationShape: readonly number[]): ConvLayer[] {
  if (observationShape.length !== 3) {
    throw new ConfigError(
      'CONFIG_CONV_SHAPE',
      `A convolutional network needs observations of shape [height, width, channels], got [${observationShape}]. Use an MLP, or give the observation space such a shape.`,
    );
  }
  let [height, width, channels] = observationShape;
  return layers.map(([filters, kernel, stride], k): ConvLayer => {
    if (kernel > height || kernel > width) {
      throw new ConfigError(
        'CONFIG_CONV_SHAPE',
        `Convolution ${k} has a kernel of ${kernel} x ${kernel}, which does not fit its input of ${height} x ${width}. Use smaller kernels or strides.`,
      );
    }
    const kernelShape = [kernel, kernel, channels, filters] as const;
    height = Math.floor((height - kernel) / stride) + 1;
    width = Math.floor((width - kernel) / stride) + 1;
    channels = filters;
    return { name: `trunk/conv${k}`, kernelShape, stride, outputShape: [height, width, channels] };
  });
}

/** Length of what comes out of the last convolution, flattened row by row with channels last. */
export function convFeatureSize(network: ConvSpec, observationShape: readonly number[]): number {
  const shape = convLayers(network, observationShape).at(-1)?.outputShape ?? observationShape;
  return shape.reduce((product, dimension) => product * dimension, 1);
}

/**
 * The layout of a convolutional policy: `trunk/conv0/kernel [k, k, in, filters]`, `trunk/conv0/bias [filters]`, ..., then
 * `trunk/0/kernel [features, h0]`, ..., `actor/head/*`, `critic/head/*` and `logStd` as for an MLP with a shared trunk.
 */
export function convParameterLayout(spec: ActingSpec, network: ConvSpec): ParameterLayout {
  const tensors: { name: string; shape: readonly number[] }[] = [];
  const add = (name: string, kernel: readonly number[]) => {
    tensors.push({ name: `${name}/kernel`, shape: kernel });
    tensors.push({ name: `${name}/bias`, shape: kernel.slice(-1) });
  };
  for (const { name, kernelShape } of convLayers(network, spec.observationShape)) add(name, kernelShape);
  let latent = convFeatureSize(network, spec.observationShape);
  network.hiddenSizes.forEach((size, k) => {
    add(`trunk/${k}`, [latent, size]);
    latent = size;
  });
  add('actor/head', [latent, distributionSize(spec.distribution)]);
  if (spec.actorOnly !== true) add('critic/head', [latent, 1]);
  const { distribution } = spec;
  const numLogStds = freeLogStdSize(distribution);
  if (numLogStds > 0) tensors.push({ name: 'logStd', shape: [numLogStds] });
  const isGsde = distribution.kind === 'gsde' || distribution.kind === 'squashed-gsde';
  if (isGsde && network.hiddenSizes.length === 0) {
    throw new ConfigError(
      'CONFIG_CONV_SHAPE',
      'gSDE takes its noise from the last hidden layer, and `hiddenSizes` is empty. Give it at least one layer.',
    );
  }
  if (isGsde) tensors.push({ name: 'logStd', shape: [latent, distribution.size] });
  return createParameterLayout(tensors);
}
