/** The flat parameter vector: every engine, kernel, file and optimizer agrees on this order. */
import { distributionSize, latentSize, type PolicySpec } from '../policy/policy-spec.ts';

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
 * Then `logStd` [A] (gaussian) or [H, A] (gsde).
 */
export function mlpParameterLayout(spec: PolicySpec): ParameterLayout {
  if (spec.network.kind !== 'mlp')
    throw new TypeError(`Expected an MLP, got a ${spec.network.kind} network.`);
  const { hiddenSizes, shared } = spec.network;
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
    });
  };
  const latent = hiddenSizes.at(-1) ?? spec.observationSize;
  hidden(shared ? 'trunk' : 'actor');
  dense('actor/head', latent, numOutputs);
  if (!shared) hidden('critic');
  dense('critic/head', latent, 1);
  if (spec.distribution.kind === 'gaussian')
    tensors.push({ name: 'logStd', shape: [spec.distribution.size] });
  if (spec.distribution.kind === 'gsde') {
    tensors.push({ name: 'logStd', shape: [latentSize(spec), spec.distribution.size] });
  }
  return createParameterLayout(tensors);
}
