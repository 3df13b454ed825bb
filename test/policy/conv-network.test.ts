import { beforeAll, describe, expect, it } from 'vitest';
import { type LoadedTensorFlow, loadTensorFlow } from '../../src/learner/tensorflow/backend.ts';
import { unpackParameters } from '../../src/learner/tensorflow/flat-parameters.ts';
import { convFeatureSize, convLayers, convParameterLayout } from '../../src/policy/conv-layers.ts';
import type { ConvSpec, PolicySpec } from '../../src/policy/policy-spec.ts';
import { createTensorNetwork } from '../../src/policy/tensor-network.ts';
import type { Tensor } from '../../src/policy/tensor-types.ts';
import { openStream } from '../../src/random/streams.ts';
import { specFor } from '../algorithms/ppo/random-batch.ts';

const network: ConvSpec = {
  kind: 'conv',
  layers: [
    [3, 2, 2],
    [4, 2, 1],
  ],
  hiddenSizes: [5],
  activation: 'tanh',
};

/** Mnih et al. 2015 (Nature 518), and the network of MinAtar. */
const nature: ConvSpec = {
  kind: 'conv',
  layers: [
    [32, 8, 4],
    [64, 4, 2],
    [64, 3, 1],
  ],
  hiddenSizes: [512],
  activation: 'relu',
};
const small: ConvSpec = { kind: 'conv', layers: [[16, 3, 1]], hiddenSizes: [128], activation: 'relu' };

function imageSpec(shape: [number, number, number], conv: ConvSpec = network): PolicySpec {
  return specFor({ kind: 'categorical', sizes: [3] }, 0, {
    observationShape: shape,
    observationSize: shape[0] * shape[1] * shape[2],
    network: conv,
  });
}

describe('shapes of convolutional networks', () => {
  it('are those of the Nature network and of the one for small grids', () => {
    expect(convLayers(nature, [84, 84, 4]).map(({ outputShape }) => outputShape)).toEqual([
      [20, 20, 32],
      [9, 9, 64],
      [7, 7, 64],
    ]);
    expect(convFeatureSize(nature, [84, 84, 4])).toBe(3136);
    expect(convFeatureSize(small, [10, 10, 4])).toBe(1024);
    const layout = convParameterLayout(imageSpec([84, 84, 4], nature), nature);
    const count = layout.entries.reduce((sum, { size }) => sum + size, 0);
    // 8224 + 32832 + 36928 + 1606144 and the heads 513 * 3 + 513
    expect(count).toBe(8224 + 32832 + 36928 + 1606144 + 1539 + 513);
    expect(layout.entries.slice(0, 2).map(({ name, shape }) => [name, shape])).toEqual([
      ['trunk/conv0/kernel', [8, 8, 4, 32]],
      ['trunk/conv0/bias', [32]],
    ]);
  });

  it('are checked with both numbers in the message', () => {
    expect(() => convLayers(nature, [4, 4, 3])).toThrow(/kernel of 8 x 8.*input of 4 x 4/);
    expect(() => convLayers(small, [4])).toThrow(/\[height, width, channels\], got \[4\]/);
  });
});

describe.each(['cpu', 'wasm'] as const)('a convolutional network on %s', (backend) => {
  let loaded: LoadedTensorFlow;
  beforeAll(async () => {
    loaded = await loadTensorFlow({ backend });
  });

  it('computes what nested loops compute, and has the gradients of finite differences', () => {
    const { tf } = loaded;
    const spec = imageSpec([6, 5, 2]);
    const { layout, apply } = createTensorNetwork(tf, spec);
    const stream = openStream(1, 'conv');
    const parameters = Float32Array.from({ length: layout.size }, () => 0.5 * stream.normal());
    const images = Float32Array.from({ length: 2 * 60 }, () => stream.normal());
    const evaluate = (flat: ArrayLike<number>) => referenceForward(spec, flat, images, 2);
    const weights = [0.3, -0.7, 0.2, 0.5]; // of the three logits and the value

    const { outputs, gradient } = tf.tidy(() => {
      const entries = unpackParameters(tf, layout, tf.tensor1d(parameters));
      const names = Object.keys(entries);
      const run = (...tensors: Tensor[]) => {
        const named = Object.fromEntries(names.map((name, k) => [name, tensors[k]]));
        const { distributionParameters, values } = apply(named, tf.tensor4d(images, [2, 6, 5, 2]));
        return tf.concat([distributionParameters, tf.reshape(values, [2, 1])], 1);
      };
      const total = (...tensors: Tensor[]) => tf.sum(tf.mul(run(...tensors), weights));
      const gradients = tf.grads(total)(names.map((name) => entries[name]));
      return {
        outputs: [...run(...names.map((name) => entries[name])).dataSync()],
        gradient: names.map((name, k) => ({ name, values: [...gradients[k].dataSync()] })),
      };
    }) as never as { outputs: number[]; gradient: { name: string; values: number[] }[] };

    outputs.forEach((value, i) => {
      expect(value).toBeCloseTo(evaluate(parameters)[i], 4);
    });
    const objective = (flat: Float64Array) =>
      evaluate(flat).reduce((sum, value, i) => sum + value * weights[i % 4], 0);
    for (const { name, values } of gradient) {
      const { offset } = layout.entries.find((entry) => entry.name === name)!;
      for (let i = 0; i < values.length; i += 7) {
        const moved = Float64Array.from(parameters);
        moved[offset + i] += 1e-5;
        const above = objective(moved);
        moved[offset + i] -= 2e-5;
        expect(values[i], `${name}[${i}]`).toBeCloseTo((above - objective(moved)) / 2e-5, 3);
      }
    }
  });

  it('refuses a padding that its filter gradient does not cover, and gives no wrong numbers', () => {
    const { tf } = loaded;
    const train = () =>
      tf.tidy(() => {
        const x = tf.ones([1, 4, 4, 1]);
        return tf
          .grad((w) => tf.sum(tf.conv2d(x as never, w as never, 1, 'same')))(tf.ones([2, 2, 1, 1]))
          .dataSync();
      });
    if (backend === 'wasm') expect(train).toThrow(/valid padding/);
    else expect([...train()]).toEqual([16, 12, 12, 9]);
  });
});

/** Rows of [logits, value], by loops over every pixel. */
function referenceForward(
  spec: PolicySpec,
  flat: ArrayLike<number>,
  images: ArrayLike<number>,
  numRows: number,
): number[] {
  const conv = spec.network as ConvSpec;
  const layout = convParameterLayout(spec, conv);
  const at = (name: string) => layout.entries.find((entry) => entry.name === name)!.offset;
  const rows: number[] = [];
  for (let row = 0; row < numRows; row += 1) {
    let [height, width, channels] = spec.observationShape;
    let x = Array.from({ length: spec.observationSize }, (_, i) => images[row * spec.observationSize + i]);
    conv.layers.forEach(([filters, kernel, stride], k) => {
      const w = at(`trunk/conv${k}/kernel`);
      const b = at(`trunk/conv${k}/bias`);
      const outHeight = Math.floor((height - kernel) / stride) + 1;
      const outWidth = Math.floor((width - kernel) / stride) + 1;
      const y: number[] = [];
      for (let p = 0; p < outHeight; p += 1) {
        for (let q = 0; q < outWidth; q += 1) {
          for (let f = 0; f < filters; f += 1) {
            let sum = flat[b + f];
            for (let i = 0; i < kernel; i += 1) {
              for (let j = 0; j < kernel; j += 1) {
                for (let c = 0; c < channels; c += 1) {
                  const pixel = x[((p * stride + i) * width + q * stride + j) * channels + c];
                  sum += pixel * flat[w + ((i * kernel + j) * channels + c) * filters + f];
                }
              }
            }
            y.push(Math.max(sum, 0));
          }
        }
      }
      [x, height, width, channels] = [y, outHeight, outWidth, filters];
    });
    const dense = (name: string, inputs: number[], size: number) =>
      Array.from({ length: size }, (_, j) =>
        inputs.reduce(
          (sum, value, i) => sum + value * flat[at(`${name}/kernel`) + i * size + j],
          flat[at(`${name}/bias`) + j],
        ),
      );
    const hidden = dense('trunk/0', x, conv.hiddenSizes[0]).map(Math.tanh);
    rows.push(...dense('actor/head', hidden, 3), ...dense('critic/head', hidden, 1));
  }
  return rows;
}
