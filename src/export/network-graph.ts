/** A policy's network as operations: from the raw observation to the last hidden layer, and its heads. */
import { convLayers } from '../policy/conv-layers.ts';
import { openTensors } from '../policy/networks/dense-rows.ts';
import { type PlainSpec, plainParameterLayout } from '../policy/networks/row-forward.ts';
import type { FindTensor } from '../policy/networks/row-outputs.ts';
import type { RecurrentSpec } from '../policy/policy-spec.ts';
import type { ObservationStatistics } from '../weights/observation-statistics.ts';
import type { GraphBuilder } from './graph-builder.ts';
import { addCells } from './recurrent-graph.ts';

export interface NetworkGraph {
  /** The actor's last hidden layer. */
  readonly latent: number;
  readonly tensor: FindTensor;
  /** null = no value head. */
  readonly value: number | null;
  /** What a recurrent policy remembers of the step; null = nothing. */
  readonly nextState: number | null;
}

type Tower = (name: string, from: number, begin?: number, end?: number) => number;

export function addNetwork(
  graph: GraphBuilder,
  spec: PlainSpec,
  parameters: Float32Array,
  statistics: ObservationStatistics | null,
): NetworkGraph {
  const tensor = openTensors(plainParameterLayout(spec), parameters);
  const x = addObservation(graph, spec, statistics);
  const { network } = spec;
  /** Hidden layers [begin, end) of a tower. */
  const tower: Tower = (name, from, begin = 0, end = network.hiddenSizes.length) => {
    let y = from;
    for (let k = begin; k < end; k++) {
      const layer = `${name}/${k}`;
      y = dense(graph, tensor, layer, y);
      if ('layerNorm' in network && network.layerNorm === true)
        y = graph.layerNorm(y, tensor(`${layer}/gain`), tensor(`${layer}/shift`));
      if (network.activation !== 'identity') y = graph.unary(network.activation, y);
    }
    return y;
  };
  if (network.kind === 'recurrent') return addRecurrentNetwork(graph, { ...spec, network }, tensor, tower, x);
  const isShared = network.kind === 'conv' || network.shared;
  const features = network.kind === 'conv' ? addConvolutions(graph, { ...spec, network }, tensor, x) : x;
  const latent = tower(isShared ? 'trunk' : 'actor', features);
  if (spec.actorOnly === true) return { latent, tensor, value: null, nextState: null };
  const criticLatent = isShared ? latent : tower('critic', x);
  const value = dense(graph, tensor, 'critic/head', criticLatent);
  return { latent, tensor, value, nextState: null };
}

function addRecurrentNetwork(
  graph: GraphBuilder,
  spec: PlainSpec & { readonly network: RecurrentSpec },
  tensor: FindTensor,
  tower: Tower,
  x: number,
): NetworkGraph {
  const { shared, sizesBefore = [], hiddenSizes } = spec.network;
  const layersBefore = sizesBefore.length;
  const { hidden, nextState } = addCells(graph, spec, tensor, (name) => tower(name, x, 0, layersBefore));
  const latent = tower(
    shared ? 'trunk' : 'actor',
    hidden[0],
    layersBefore,
    layersBefore + hiddenSizes.length,
  );
  if (spec.actorOnly === true) return { latent, tensor, value: null, nextState };
  const criticLatent = shared
    ? latent
    : tower('critic', hidden[1], layersBefore, layersBefore + hiddenSizes.length);
  return { latent, tensor, value: dense(graph, tensor, 'critic/head', criticLatent), nextState };
}

function dense(graph: GraphBuilder, tensor: FindTensor, name: string, x: number): number {
  return graph.dense(x, tensor(`${name}/kernel`), tensor(`${name}/bias`));
}

function addObservation(
  graph: GraphBuilder,
  { observationSize, observationDtype, normalizeObservations, clipObservation }: PlainSpec,
  statistics: ObservationStatistics | null,
): number {
  let x = graph.input('observation', observationSize, observationDtype);
  if (observationDtype === 'uint8') x = graph.cast(x);
  if (!normalizeObservations || statistics === null) return x;
  if (statistics.mean.some((mean) => mean !== 0)) x = graph.arithmetic('sub', x, statistics.mean);
  x = graph.arithmetic('mul', x, statistics.inverseStd);
  return graph.arithmetic('min', graph.arithmetic('max', x, [-clipObservation]), [clipObservation]);
}

function addConvolutions(
  graph: GraphBuilder,
  spec: PlainSpec & { readonly network: { readonly kind: 'conv' } },
  tensor: FindTensor,
  x: number,
): number {
  let y = x;
  let inputShape = spec.observationShape as readonly [number, number, number];
  for (const { name, kernelShape, stride, outputShape } of convLayers(spec.network, spec.observationShape)) {
    const [kernel, bias] = [tensor(`${name}/kernel`), tensor(`${name}/bias`)];
    y = graph.conv(y, { kernel, kernelShape, bias, stride, inputShape, outputShape });
    y = graph.unary('relu', y);
    inputShape = outputShape;
  }
  return y;
}
