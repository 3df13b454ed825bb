/** The networks of `policy-spec.ts` in tfjs operations, over the entries of the flat parameter vector. */
import { EngineError } from '../errors.ts';
import type { ParameterLayout } from '../weights/parameter-layout.ts';
import { convLayers, convParameterLayout } from './conv-layers.ts';
import { type CustomNetwork, customParameterLayout } from './custom-network.ts';
import { attentionParameterLayout } from './networks/attention-parameters.ts';
import { mlpParameterLayout } from './networks/mlp-parameters.ts';
import { recurrentTowers } from './networks/recurrent-state.ts';
import type { ActingSpec, AttentionSpec, ConvSpec, MlpSpec, RecurrentSpec } from './policy-spec.ts';
import { applyAttention, unseenScores } from './tensor-attention.ts';
import { activate, dense, normalizeLayer, type ParameterTensors } from './tensor-layers.ts';
import { applyCells, type SequenceTensors } from './tensor-recurrent.ts';
import type { NetworkOutputs, Tensor, TensorFlow } from './tensor-types.ts';

export interface TensorNetwork {
  readonly layout: ParameterLayout;
  /** @param observations [B, ...observationShape] f32, normalised. @param sequences of a recurrent network, whose rows are theirs; else null. */
  apply(
    parameters: ParameterTensors,
    observations: Tensor,
    sequences?: SequenceTensors | null,
  ): NetworkOutputs;
  /** Of a recurrent network: what it remembers after the last step of each sequence, [M, S] f32. */
  statesAfter?(parameters: ParameterTensors, observations: Tensor, sequences: SequenceTensors): Tensor;
}

/**
 * Builds the network of a policy.
 *
 * @param custom the network that the module of a custom spec made (see {@link CustomNetwork}); null for the others.
 * @throws EngineError `ENGINE_NETWORK` when a custom spec comes without its network.
 */
export function createTensorNetwork(
  tf: TensorFlow,
  spec: ActingSpec,
  custom: CustomNetwork | null = null,
): TensorNetwork {
  const { network } = spec;
  const hasValues = spec.actorOnly !== true;
  switch (network.kind) {
    case 'mlp':
      return {
        layout: mlpParameterLayout(spec),
        apply: (parameters, observations) => applyMlp(tf, network, hasValues, parameters, observations),
      };
    case 'recurrent':
      return {
        layout: mlpParameterLayout(spec),
        apply(parameters, observations, sequences = null) {
          if (sequences === null) throw new TypeError('Expected the sequences of a recurrent network.');
          const remember: Remember = (tower, x) =>
            applyCells(tf, { ...spec, network }, parameters, tower, x, sequences).hidden;
          return applyMlp(tf, network, hasValues, parameters, observations, remember);
        },
        statesAfter(parameters, observations, sequences) {
          const states = recurrentTowers(spec).flatMap((tower) => {
            let x = observations;
            for (let k = 0; k < (network.sizesBefore?.length ?? 0); k += 1)
              x = hiddenLayer(tf, network, parameters, `${tower}/${k}`, x);
            return applyCells(tf, { ...spec, network }, parameters, tower, x, sequences).states;
          });
          return tf.concat(states, 1);
        },
      };
    case 'attention':
      return {
        layout: attentionParameterLayout({ ...spec, network }),
        apply(parameters, observations, sequences = null) {
          if (sequences === null) throw new TypeError('Expected the sequences of a network with attention.');
          const attending = { ...spec, network };
          const unseen = unseenScores(tf, attending, sequences);
          const remember: Remember = (tower, x) =>
            applyAttention(tf, attending, parameters, tower, x, sequences, unseen);
          return applyMlp(tf, network, hasValues, parameters, observations, remember);
        },
      };
    case 'conv':
      return {
        layout: convParameterLayout(spec, network),
        apply: (parameters, observations) => applyConv(tf, network, hasValues, parameters, observations),
      };
    case 'custom': {
      if (custom === null)
        throw new EngineError('ENGINE_NETWORK', `Load the network module ${network.module} first.`);
      return {
        layout: customParameterLayout(spec, custom),
        apply: (parameters, observations) => applyCustom(tf, custom, parameters, observations),
      };
    }
  }
}

/** What a tower's cells, or its transformer, make of what they read. */
type Remember = (tower: 'trunk' | 'actor' | 'critic', x: Tensor) => Tensor;

function applyMlp(
  tf: TensorFlow,
  network: MlpSpec | RecurrentSpec | AttentionSpec,
  hasValues: boolean,
  parameters: ParameterTensors,
  observations: Tensor,
  remember: Remember = (_tower, x) => x,
): NetworkOutputs {
  const layersBefore = network.kind === 'recurrent' ? (network.sizesBefore?.length ?? 0) : 0;
  const tower = (name: 'trunk' | 'actor' | 'critic') => {
    let x = observations;
    for (let k = 0; k <= layersBefore + network.hiddenSizes.length; k += 1) {
      if (k > 0) x = hiddenLayer(tf, network, parameters, `${name}/${k - 1}`, x);
      if (k === layersBefore) x = remember(name, x);
    }
    return x;
  };
  const actorLatent = tower(network.shared ? 'trunk' : 'actor'); // [B, H]
  if (!hasValues) return heads(tf, parameters, actorLatent, null);
  const criticLatent = network.shared ? actorLatent : tower('critic');
  return heads(tf, parameters, actorLatent, criticLatent);
}

function hiddenLayer(
  tf: TensorFlow,
  network: MlpSpec | RecurrentSpec | AttentionSpec,
  parameters: ParameterTensors,
  layer: string,
  x: Tensor,
): Tensor {
  const product = dense(tf, parameters, layer, x);
  const layerNorm = network.kind === 'mlp' && network.layerNorm === true;
  const normalized = layerNorm ? normalizeLayer(tf, parameters, layer, product) : product;
  return activate(tf, network.activation, normalized);
}

/** Convolutions with relu, then hidden layers; both heads sit on the last one. */
function applyConv(
  tf: TensorFlow,
  network: ConvSpec,
  hasValues: boolean,
  parameters: ParameterTensors,
  observations: Tensor, // [B, height, width, channels]
): NetworkOutputs {
  let x = observations;
  for (const { name, stride } of convLayers(network, observations.shape.slice(1))) {
    const filtered = tf.conv2d(x as never, parameters[`${name}/kernel`] as never, stride, 'valid');
    x = tf.relu(tf.add(filtered, parameters[`${name}/bias`]));
  }
  x = tf.reshape(x, [observations.shape[0], -1]);
  for (let k = 0; k < network.hiddenSizes.length; k += 1) {
    x = activate(tf, network.activation, dense(tf, parameters, `trunk/${k}`, x));
  }
  return heads(tf, parameters, x, hasValues ? x : null);
}

/** @param criticLatent null = there is no value head: values are 0. */
function heads(
  tf: TensorFlow,
  parameters: ParameterTensors,
  actorLatent: Tensor,
  criticLatent: Tensor | null,
): NetworkOutputs {
  const distributionParameters = dense(tf, parameters, 'actor/head', actorLatent);
  const values =
    criticLatent === null
      ? tf.mul(tf.slice(distributionParameters, [0, 0], [-1, 1]), 0)
      : dense(tf, parameters, 'critic/head', criticLatent);
  return {
    distributionParameters,
    values: tf.reshape(values, [-1]),
    latent: actorLatent,
    logStd: parameters.logStd ?? null,
  };
}

function applyCustom(
  tf: TensorFlow,
  custom: CustomNetwork,
  parameters: ParameterTensors,
  observations: Tensor,
): NetworkOutputs {
  const parameter = (name: string): Tensor => {
    if (Object.hasOwn(parameters, name)) return parameters[name];
    const names = Object.keys(parameters).join(', ');
    throw new EngineError(
      'ENGINE_NETWORK',
      `The network asks for a parameter \`${name}\`; it declares ${names}.`,
    );
  };
  const { distributionParameters, value } = custom.apply(parameter, observations);
  const numRows = observations.shape[0];
  return {
    distributionParameters,
    values: tf.reshape(value, [numRows]),
    latent: null,
    logStd: parameters.logStd ?? null,
  };
}
