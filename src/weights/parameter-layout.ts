/** The flat parameter vector: every engine, kernel, file and optimizer agrees on this order. */
import { type ActingSpec, distributionSize, latentSize } from '../policy/policy-spec.ts';

/** One tensor inside the flat Float32Array; `offset` and `size` in elements. Matrices are row-major [in, out]. */
export interface ParameterEntry {
  readonly name: string;
  readonly shape: readonly number[];
  readonly offset: number;
  readonly size: number;
}

export interface ParameterLayout {
  readonly entries: readonly ParameterEntry[];
  /** Elements in all, padding included. */
  readonly size: number;
}

/** Tensors start at multiples of this many elements (64 bytes), zero-filled in between. */
const ALIGNMENT = 16;

export function createParameterLayout(
  tensors: readonly { name: string; shape: readonly number[] }[],
): ParameterLayout {
  let offset = 0;
  const entries = tensors.map(({ name, shape }) => {
    const size = shape.reduce((product, dimension) => product * dimension, 1);
    const entry = { name, shape, offset, size };
    offset += Math.ceil(size / ALIGNMENT) * ALIGNMENT;
    return entry;
  });
  return { entries, size: offset };
}

/**
 * The layout of an MLP policy.
 *
 * Separate towers: `actor/0/kernel [obs, h0]`, `actor/0/bias [h0]`, ..., `actor/head/kernel [h, P]`, `actor/head/bias [P]`,
 * then the same for `critic/` with a head of 1. Shared trunk: `trunk/0/kernel`, ..., `actor/head/*`, `critic/head/*`.
 * Then `logStd` [A] (gaussian) or [H, A] (gsde, squashed-gsde). A policy that is `actorOnly` has no `critic/...`; with layer
 * normalisation each hidden layer has `gain` and `shift` [h] after its bias.
 */
export function mlpParameterLayout(spec: ActingSpec): ParameterLayout {
  if (spec.network.kind !== 'mlp')
    throw new TypeError(`Expected an MLP, got a ${spec.network.kind} network.`);
  const { hiddenSizes, shared, layerNorm } = spec.network;
  const numOutputs = distributionSize(spec.distribution);
  const tensors: { name: string; shape: readonly number[] }[] = [];
  const dense = (name: string, inputs: number, outputs: number) => {
    tensors.push(
      { name: `${name}/kernel`, shape: [inputs, outputs] },
      { name: `${name}/bias`, shape: [outputs] },
    );
  };
  const hidden = (tower: string) => {
    hiddenSizes.forEach((size, k) => {
      dense(`${tower}/${k}`, hiddenSizes[k - 1] ?? spec.observationSize, size);
      if (layerNorm !== true) return;
      tensors.push(
        { name: `${tower}/${k}/gain`, shape: [size] },
        { name: `${tower}/${k}/shift`, shape: [size] },
      );
    });
  };
  const latent = hiddenSizes.at(-1) ?? spec.observationSize;
  hidden(shared ? 'trunk' : 'actor');
  dense('actor/head', latent, numOutputs);
  if (spec.actorOnly !== true) {
    if (!shared) hidden('critic');
    dense('critic/head', latent, 1);
  }
  const { distribution } = spec;
  if (distribution.kind === 'gaussian') tensors.push({ name: 'logStd', shape: [distribution.size] });
  if (distribution.kind === 'gsde' || distribution.kind === 'squashed-gsde') {
    tensors.push({ name: 'logStd', shape: [latentSize(spec), distribution.size] });
  }
  return createParameterLayout(tensors);
}
