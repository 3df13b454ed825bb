/** The network of a model that acts: what runners are told of it, and where its parameters lie. */

import type { ParameterLayout } from '../../weights/parameter-layout.ts';
import { convParameterLayout } from '../conv-layers.ts';
import type { ActingDistribution, ActingSpec, NetworkSpec } from '../policy-spec.ts';
import { distributionSize } from '../policy-spec.ts';
import { mlpParameterLayout } from './mlp-parameters.ts';
import { type ModelNetwork, type ModelSpec, modelLayout, networkNamed } from './model.ts';

/** Which network acts, and how: DQN's `q` is epsilon-greedy, SAC's `actor` a squashed Gaussian. */
export interface ActingNetwork {
  /** A network of the model that reads the observation alone. */
  readonly network: string;
  readonly distribution: ActingDistribution;
  /** Free parameters that stand behind the network's where it acts: the log deviations [H, A] of squashed-gsde. */
  readonly logStd?: string;
  /** Elements of an action mask; 0 = none. */
  readonly actionMaskSize: number;
}

/**
 * The policy that the acting network is. Its parameters are the network's part of the model's vector as it stands (and `logStd` behind it).
 *
 * @throws TypeError when the network reads something besides one input, or does not give what the distribution needs.
 */
export function actingSpecOf(model: ModelSpec, acting: ActingNetwork): ActingSpec {
  const network = networkNamed(model, acting.network);
  const input = model.inputs[network.inputs[0]];
  const { distribution } = acting;
  if (network.inputs.length !== 1)
    throw new TypeError(`Expected ${acting.network} to read the observation alone, got ${network.inputs}.`);
  if (network.outputs !== distributionSize(distribution)) {
    throw new TypeError(
      `Expected ${acting.network} to have the ${distributionSize(distribution)} outputs of ${distribution.kind}, got ${network.outputs}.`,
    );
  }
  const spec: ActingSpec = {
    observationSize: input.size,
    observationDtype: input.dtype,
    observationShape: network.trunk.kind === 'mlp' ? [input.size] : input.shape,
    actionMaskSize: acting.actionMaskSize,
    network: networkSpecOf(network),
    distribution,
    actorOnly: true,
    normalizeObservations: input.isNormalized,
    clipObservation: model.clipObservation,
    initialization: { orthogonal: false, hiddenGain: 1, policyGain: 1, valueGain: 1, logStd: 0 },
  };
  const wanted = actingRanges(model, acting).reduce((sum, { size }) => sum + size, 0);
  const { size } = actingLayout(spec);
  if (size !== wanted)
    throw new TypeError(`Expected ${acting.network} to act with its ${wanted} parameters, got ${size}.`);
  return spec;
}

function networkSpecOf({ trunk }: ModelNetwork): NetworkSpec {
  const { hiddenSizes, activation } = trunk;
  const normalized = trunk.kind === 'mlp' && trunk.layerNorm ? { layerNorm: true } : {};
  if (trunk.kind === 'conv') return { kind: 'conv', layers: trunk.layers, hiddenSizes, activation };
  if (trunk.cell !== undefined) {
    const { kind: cell, size } = trunk.cell;
    return { kind: 'recurrent', cell, size, hiddenSizes, activation, shared: false, ...normalized };
  }
  return { kind: 'mlp', hiddenSizes, activation, shared: false, ...normalized };
}

/** The layout of the acting parameters, with a policy's names: `actor/0/kernel`, ... */
export function actingLayout(spec: ActingSpec): ParameterLayout {
  const { network } = spec;
  return network.kind === 'conv' ? convParameterLayout(spec, network) : mlpParameterLayout(spec);
}

/** What acts, out of all parameters of the model. f32 [acting parameters] */
export function actingParameters(model: ModelSpec, acting: ActingNetwork, all: Float32Array): Float32Array {
  const ranges = actingRanges(model, acting);
  const parameters = new Float32Array(ranges.reduce((sum, { size }) => sum + size, 0));
  let at = 0;
  for (const { offset, size } of ranges) {
    parameters.set(all.subarray(offset, offset + size), at);
    at += size;
  }
  return parameters;
}

/** Parts of the model's vector that, one behind the other, are the acting parameters. */
export function actingRanges(model: ModelSpec, { network, logStd }: ActingNetwork) {
  const { ranges } = modelLayout(model);
  return [network, ...(logStd === undefined ? [] : [logStd])].map((name) => ({ name, ...ranges[name] }));
}
