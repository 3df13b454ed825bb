/** The parameters of an MLP policy, in the flat vector. */
import { createParameterLayout, type ParameterLayout } from '../../weights/parameter-layout.ts';
import { type ActingSpec, distributionSize, latentSize } from '../policy-spec.ts';

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
