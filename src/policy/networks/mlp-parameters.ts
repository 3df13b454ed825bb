/** The parameters of an MLP policy, or of one with a recurrent cell before it, in the flat vector. */
import { createParameterLayout, type ParameterLayout } from '../../weights/parameter-layout.ts';
import {
  type ActingSpec,
  distributionSize,
  firstLayerInputs,
  freeLogStdSize,
  isKernelNetwork,
  latentSize,
  type MlpSpec,
  type RecurrentSpec,
} from '../policy-spec.ts';

/**
 * The layout of an MLP policy.
 *
 * Separate towers: `actor/0/kernel [obs, h0]`, `actor/0/bias [h0]`, ..., `actor/head/kernel [h, P]`, `actor/head/bias [P]`,
 * then the same for `critic/` with a head of 1. Shared trunk: `trunk/0/kernel`, ..., `actor/head/*`, `critic/head/*`.
 * Then `logStd` [A] (gaussian) or [H, A] (gsde, squashed-gsde). A policy that is `actorOnly` has no `critic/...`, one
 * that is `criticOnly` nothing else; with layer
 * normalisation each hidden layer has `gain` and `shift` [h] after its bias.
 *
 * A recurrent cell of H units stands at the beginning of each tower: `actor/cell/input [obs, 4H]` (GRU: 3H), `actor/cell/state [H, 4H]`,
 * `actor/cell/bias [4H]`, and for a GRU `actor/cell/stateBias [3H]`; gates in the order input, forget, candidate, output (LSTM), or
 * reset, update, candidate (GRU). `stateBias` is PyTorch's `bias_hh`, which matters for the candidate; an LSTM's two biases only add up.
 */
export function mlpParameterLayout(spec: ActingSpec): ParameterLayout {
  const { network } = spec;
  if (!isKernelNetwork(network)) throw new TypeError(`Expected an MLP, got a ${network.kind} network.`);
  if (network.kind === 'mlp') return plainMlpLayout({ ...spec, network });
  return layOut(spec, network, (tower) => cellTensors(tower, network, spec.observationSize));
}

/** The same, of an MLP without a cell: all that `operant/policy` needs. */
export function plainMlpLayout(spec: ActingSpec & { readonly network: MlpSpec }): ParameterLayout {
  return layOut(spec, spec.network, () => []);
}

interface NamedShape {
  readonly name: string;
  readonly shape: readonly number[];
}

/** @param cellOf what stands at the beginning of a tower. */
function layOut(
  spec: ActingSpec,
  { hiddenSizes, shared, layerNorm }: Pick<MlpSpec, 'hiddenSizes' | 'shared' | 'layerNorm'>,
  cellOf: (tower: string) => readonly NamedShape[],
): ParameterLayout {
  const firstInputs = firstLayerInputs(spec);
  const numOutputs = distributionSize(spec.distribution);
  const tensors: NamedShape[] = [];
  const dense = (name: string, inputs: number, outputs: number) => {
    tensors.push(
      { name: `${name}/kernel`, shape: [inputs, outputs] },
      { name: `${name}/bias`, shape: [outputs] },
    );
  };
  const hidden = (tower: string) => {
    tensors.push(...cellOf(tower));
    hiddenSizes.forEach((size, k) => {
      dense(`${tower}/${k}`, hiddenSizes[k - 1] ?? firstInputs, size);
      if (layerNorm !== true) return;
      tensors.push(
        { name: `${tower}/${k}/gain`, shape: [size] },
        { name: `${tower}/${k}/shift`, shape: [size] },
      );
    });
  };
  const latent = hiddenSizes.at(-1) ?? firstInputs;
  if (spec.criticOnly === true) {
    hidden('critic');
    dense('critic/head', latent, 1);
    return createParameterLayout(tensors);
  }
  hidden(shared ? 'trunk' : 'actor');
  dense('actor/head', latent, numOutputs);
  if (spec.actorOnly !== true) {
    if (!shared) hidden('critic');
    dense('critic/head', latent, 1);
  }
  const { distribution } = spec;
  const numLogStds = freeLogStdSize(distribution);
  if (numLogStds > 0) tensors.push({ name: 'logStd', shape: [numLogStds] });
  if (distribution.kind === 'gsde' || distribution.kind === 'squashed-gsde') {
    tensors.push({ name: 'logStd', shape: [latentSize(spec), distribution.size] });
  }
  return createParameterLayout(tensors);
}

function cellTensors(tower: string, { cell, size }: RecurrentSpec, inputs: number) {
  const isLstm = cell === 'lstm';
  const gates = (isLstm ? 4 : 3) * size;
  const tensor = (part: string, ...shape: number[]) => ({ name: `${tower}/cell/${part}`, shape });
  const tensors = [tensor('input', inputs, gates), tensor('state', size, gates), tensor('bias', gates)];
  return isLstm ? tensors : [...tensors, tensor('stateBias', gates)];
}
