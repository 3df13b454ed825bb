/** One image through convolutions in plain float64: for acting where there is no TensorFlow. */
import type { ObservationStatistics } from '../../weights/observation-statistics.ts';
import { type ConvLayer, convLayers, convParameterLayout } from '../conv-layers.ts';
import { type ActingSpec, type ConvSpec, distributionSize } from '../policy-spec.ts';
import { openDense, openObservation, openRowOutputs, openTensors, openTower } from './dense-rows.ts';
import type { FindTensor, RowForward, RowLayer } from './row-outputs.ts';

/**
 * Opens the forward pass of a convolutional policy. It agrees with TensorFlow up to float32 rounding.
 *
 * @returns a function of one raw image, row by row, channels last; what it gives is valid until its next call. Allocates nothing a row.
 * Cost: some 16 ms for Nature-CNN at 84 x 84 x 4. Thread: any, one each.
 */
export function openConvForward(
  spec: ActingSpec & { readonly network: ConvSpec },
  parameters: Float32Array,
  statistics: ObservationStatistics | null,
): RowForward {
  const { hiddenSizes, activation } = spec.network;
  const layout = convParameterLayout(spec, spec.network);
  const tensor = openTensors(layout, parameters);
  const observe = openObservation(spec, statistics);
  let inputWidth = spec.observationShape[1];
  const convolutions = convLayers(spec.network, spec.observationShape).map((layer) => {
    const convolve = openConvolution(tensor, layer, inputWidth);
    inputWidth = layer.outputShape[1];
    return convolve;
  });
  const tower = openTower(tensor, {
    name: 'trunk',
    numLayers: hiddenSizes.length,
    activation,
    layerNorm: false,
  });
  const finish = openRowOutputs(
    {
      actor: openDense(tensor, 'actor/head'),
      critic: spec.actorOnly === true ? null : openDense(tensor, 'critic/head'),
      logStd: layout.entries.some(({ name }) => name === 'logStd') ? tensor('logStd') : null,
    },
    distributionSize(spec.distribution),
  );
  return (observation) => {
    let x = observe(observation);
    for (const convolve of convolutions) x = convolve(x);
    const latent = tower(x);
    return finish(latent, latent);
  };
}

/** Valid padding, then relu. Kernel [height, width, inputs, filters], x [rows, columns, inputs]. */
function openConvolution(
  tensor: FindTensor,
  { name, kernelShape, stride, outputShape }: ConvLayer,
  inputWidth: number,
): RowLayer {
  const kernel = tensor(`${name}/kernel`);
  const bias = tensor(`${name}/bias`);
  const [kernelHeight, kernelWidth, numInputs, numFilters] = kernelShape;
  const [height, width] = outputShape;
  const y = new Float64Array(height * width * numFilters); // [height, width, filters] f64
  const addPatch = (x: Float64Array, from: number, at: number): void => {
    for (let row = 0, k = 0; row < kernelHeight; row++) {
      const first = from + row * inputWidth * numInputs;
      for (let i = first; i < first + kernelWidth * numInputs; i++, k += numFilters) {
        const xi = x[i];
        for (let f = 0; f < numFilters; f++) y[at + f] += xi * kernel[k + f];
      }
    }
    for (let f = 0; f < numFilters; f++) y[at + f] = Math.max(y[at + f], 0);
  };
  return (x) => {
    for (let row = 0, at = 0; row < height; row++) {
      for (let column = 0; column < width; column++, at += numFilters) {
        y.set(bias, at);
        addPatch(x, (row * inputWidth + column) * stride * numInputs, at);
      }
    }
    return y;
  };
}
