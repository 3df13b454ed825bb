/**
 * Noisy layers (Fortunato et al. 2018, arXiv:1706.10295), factorised: dense layers whose weights are drawn anew for every use.
 *
 *     W = mu + sigma * eps,   eps_ij = f(e_i) f(e'_j)       b = mu_b + sigma_b * f(e'_j)       f(x) = sign(x) sqrt(|x|),   e, e' ~ N(0, 1)
 *
 * Here on whole networks: `network` has the means, `noise/<network>` the deviations of its dense layers (gains, shifts and convolutions
 * have none). What is drawn are *factors*, f(e) and then f(e') of one dense layer after another. So a network with noise is a plain
 * network over other numbers, which every engine runs as it runs any; and with g the gradient by W, mu gets g and sigma gets g eps.
 */
import type { Stream } from '../../random/streams.ts';
import { deviationsOf, type ModelSpec, modelLayout } from './model.ts';

/** A dense layer of a noisy network, for whoever does it on an engine; offsets in elements, of the means within the network, of the deviations within theirs. */
export interface NoisyLayer {
  readonly inputs: number;
  readonly outputs: number;
  readonly kernel: number;
  readonly bias: number;
  readonly kernelStd: number;
  readonly biasStd: number;
  /** Of the layer's first factor. */
  readonly factor: number;
}

/** The noise of one network, or target, over plain arrays. */
export interface ParameterNoise {
  /** Factors of one draw. */
  readonly size: number;
  readonly layers: readonly NoisyLayer[];
  /** In place: `parameters` f32 [network] += `deviations` f32 [noise/<network>] times eps; rounded once a weight. `factors` f32 [size]. */
  perturb(parameters: Float32Array, deviations: Float32Array, factors: Float32Array): void;
  /** `byDeviations` = `byParameters` eps: from the gradient by the weights as they were used to that by the deviations. */
  flowBack(byParameters: Float32Array, factors: Float32Array, byDeviations: Float32Array): void;
}

/** @throws TypeError where the network has no noisy layers. */
export function createParameterNoise(model: ModelSpec, network: string): ParameterNoise {
  const layers = noisyLayers(model, network);
  const last = layers.at(-1);
  if (last === undefined) throw new TypeError(`Expected noisy layers in ${network}.`);
  return {
    size: last.factor + last.inputs + last.outputs,
    layers,
    perturb(parameters, deviations, factors) {
      for (const { inputs, outputs, kernel, bias, kernelStd, biasStd, factor } of layers) {
        const column = factor + inputs;
        for (let i = 0; i < inputs; i++) {
          const row = factors[factor + i];
          const [to, from] = [kernel + i * outputs, kernelStd + i * outputs];
          for (let j = 0; j < outputs; j++)
            parameters[to + j] += deviations[from + j] * (row * factors[column + j]);
        }
        for (let j = 0; j < outputs; j++)
          parameters[bias + j] += deviations[biasStd + j] * factors[column + j];
      }
    },
    flowBack(byParameters, factors, byDeviations) {
      for (const { inputs, outputs, kernel, bias, kernelStd, biasStd, factor } of layers) {
        const column = factor + inputs;
        for (let i = 0; i < inputs; i++) {
          const row = factors[factor + i];
          const [from, to] = [kernel + i * outputs, kernelStd + i * outputs];
          for (let j = 0; j < outputs; j++)
            byDeviations[to + j] = byParameters[from + j] * (row * factors[column + j]);
        }
        for (let j = 0; j < outputs; j++)
          byDeviations[biasStd + j] = byParameters[bias + j] * factors[column + j];
      }
    },
  };
}

function noisyLayers(model: ModelSpec, network: string): NoisyLayer[] {
  const { entries, ranges } = modelLayout(model);
  const owner = deviationsOf(network);
  const offsetOf = new Map(entries.map(({ name, offset }) => [name, offset]));
  const within = (name: string, layer: string, part: string) =>
    (offsetOf.get(`${name}/${layer}/${part}`) as number) - ranges[name].offset;
  let factor = 0;
  return entries
    .filter(({ name }) => name.startsWith(`${owner}/`) && name.endsWith('/kernel'))
    .map(({ name, shape: [inputs, outputs] }) => {
      const layer = name.slice(owner.length + 1, -'/kernel'.length);
      const first = factor;
      factor += inputs + outputs;
      return {
        ...{ inputs, outputs, factor: first },
        kernel: within(network, layer, 'kernel'),
        bias: within(network, layer, 'bias'),
        kernelStd: within(owner, layer, 'kernel'),
        biasStd: within(owner, layer, 'bias'),
      };
    });
}

/** Draws factors, f(e) of standard normals: two of Box and Muller's from two uniforms. @param factors f32, filled whole. */
export function drawFactors(stream: Stream, factors: Float32Array): void {
  for (let k = 0; k < factors.length; k += 2) {
    const radius = Math.sqrt(-2 * Math.log(1 - stream.uniform()));
    const angle = 2 * Math.PI * stream.uniform();
    factors[k] = signedRoot(radius * Math.cos(angle));
    if (k + 1 < factors.length) factors[k + 1] = signedRoot(radius * Math.sin(angle));
  }
}

const signedRoot = (x: number): number => Math.sign(x) * Math.sqrt(Math.abs(x));
