/** The parameters of an MLP policy, or of one with recurrent cells among its layers, in the flat vector. */
import { createParameterLayout, type ParameterLayout } from '../../weights/parameter-layout.ts';
import {
  type ActingSpec,
  distributionSize,
  firstLayerInputs,
  freeLogStdSize,
  isKernelNetwork,
  latentSize,
  type MlpSpec,
} from '../policy-spec.ts';
import { cellShapes } from './cell-shapes.ts';
import { cellName } from './recurrent-state.ts';

/**
 * The layout of an MLP policy.
 *
 * Separate towers: `actor/0/kernel [obs, h0]`, `actor/0/bias [h0]`, ..., `actor/head/kernel [h, P]`, `actor/head/bias [P]`,
 * then the same for `critic/` with a head of 1. Shared trunk: `trunk/0/kernel`, ..., `actor/head/*`, `critic/head/*`.
 * Then `logStd` [A] (gaussian) or [H, A] (gsde, squashed-gsde). A policy that is `actorOnly` has no `critic/...`, one
 * that is `criticOnly` nothing else; with layer
 * normalisation each hidden layer has `gain` and `shift` [h] after its bias.
 *
 * A recurrent cell of H units that reads I numbers is `actor/cell/input [I, 4H]` (GRU: 3H), `actor/cell/state [H, 4H]`, `actor/cell/bias [4H]`, and
 * for a GRU `actor/cell/stateBias [3H]`; gates in the order input, forget, candidate, output (LSTM), or reset, update, candidate (GRU).
 * `stateBias` is PyTorch's `bias_hh`, which matters for the candidate; an LSTM's two biases only add up. Cells above the first are `actor/cell/1/...`
 * and on; all of them stand behind the first hidden layers, those of `sizesBefore`.
 */
export function mlpParameterLayout(spec: ActingSpec): ParameterLayout {
  const { network } = spec;
  if (!isKernelNetwork(network)) throw new TypeError(`Expected an MLP, got a ${network.kind} network.`);
  if (network.kind === 'mlp') return plainMlpLayout({ ...spec, network });
  const { numLayers = 1, sizesBefore = [], cell: kind, size } = network;
  const cell = { kind, size };
  const inputsOf = (k: number) => (k === 0 ? spec.observationSize : sizesBefore[k - 1]);
  return layOut(
    spec,
    network,
    (tower) => [
      ...sizesBefore.flatMap((outputs, k) => denseShapes(`${tower}/${k}`, inputsOf(k), outputs)),
      ...cellShapes(cellName(tower, 0), cell, inputsOf(sizesBefore.length)),
      ...Array.from({ length: numLayers - 1 }, (_, k) =>
        cellShapes(cellName(tower, k + 1), cell, size),
      ).flat(),
    ],
    sizesBefore.length,
  );
}

/** The same, of an MLP without a cell: all that `operant/policy` needs. */
export function plainMlpLayout(spec: ActingSpec & { readonly network: MlpSpec }): ParameterLayout {
  return layOut(spec, spec.network, () => []);
}

export interface NamedShape {
  readonly name: string;
  readonly shape: readonly number[];
}

const denseShapes = (name: string, inputs: number, outputs: number): NamedShape[] => [
  { name: `${name}/kernel`, shape: [inputs, outputs] },
  { name: `${name}/bias`, shape: [outputs] },
];

/** @param beginningOf what stands at the beginning of a tower, `numBefore` hidden layers among it. */
export function layOut(
  spec: ActingSpec,
  { hiddenSizes, shared, layerNorm }: Pick<MlpSpec, 'hiddenSizes' | 'shared' | 'layerNorm'>,
  beginningOf: (tower: string) => readonly NamedShape[],
  numBefore = 0,
): ParameterLayout {
  const firstInputs = firstLayerInputs(spec);
  const numOutputs = distributionSize(spec.distribution);
  const tensors: NamedShape[] = [];
  const dense = (name: string, inputs: number, outputs: number) => {
    tensors.push(...denseShapes(name, inputs, outputs));
  };
  const hidden = (tower: string) => {
    tensors.push(...beginningOf(tower));
    hiddenSizes.forEach((size, k) => {
      const name = `${tower}/${numBefore + k}`;
      dense(name, hiddenSizes[k - 1] ?? firstInputs, size);
      if (layerNorm !== true) return;
      tensors.push({ name: `${name}/gain`, shape: [size] }, { name: `${name}/shift`, shape: [size] });
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
