/**
 * A user's own network in tfjs.
 *
 * The module that a custom spec names exports a factory:
 *
 *     export const network: CreateCustomNetwork = (tf, { observationShape, numOutputs }) => ({
 *       parameters: [
 *         { name: 'hidden/kernel', shape: [observationShape[0], 32] },
 *         { name: 'hidden/bias', shape: [32] },
 *         { name: 'actor/head/kernel', shape: [32, numOutputs] },
 *         { name: 'critic/head/kernel', shape: [32, 1] },
 *       ],
 *       apply(parameter, observations) {
 *         const hidden = tf.relu(tf.add(tf.matMul(observations, parameter('hidden/kernel')), parameter('hidden/bias')));
 *         return {
 *           distributionParameters: tf.matMul(hidden, parameter('actor/head/kernel')),
 *           value: tf.matMul(hidden, parameter('critic/head/kernel')),
 *         };
 *       },
 *     });
 *
 * The network holds no variables of its own: it declares its parameters by name, and gets them as tensors. They lie in
 * the flat parameter vector with everything else, so optimizers, checkpoints and weight publishing need to know nothing
 * about it. Matrices are initialised as `initialize.ts` says (names `actor/head/...` and `critic/head/...` get the heads'
 * gains), vectors to 0; `initialize` of a parameter overrides that. `logStd` is added for gaussian policies.
 */
import { EngineError } from '../errors.ts';
import type { JsonObject } from '../json.ts';
import { importModule } from '../modules/import-module.ts';
import type { Stream } from '../random/streams.ts';
import { createParameterLayout, type ParameterLayout } from '../weights/parameter-layout.ts';
import { type ActingSpec, type CustomSpec, distributionSize, freeLogStdSize } from './policy-spec.ts';
import type { Tensor, TensorFlow } from './tensor-types.ts';

export interface CustomNetworkContext {
  /** `[size]`, or `[height, width, channels]` of an image. */
  readonly observationShape: readonly [number, ...number[]];
  /** P, the number of distribution parameters per row. */
  readonly numOutputs: number;
  readonly options: JsonObject;
}

export interface CustomParameter {
  readonly name: string;
  readonly shape: readonly number[];
  /** Own initial values, row-major; draw only from `stream`. */
  readonly initialize?: (stream: Stream) => ArrayLike<number>;
}

export interface CustomNetwork {
  readonly parameters: readonly CustomParameter[];
  /**
   * @param parameter gives the tensor of a declared name; another name is an EngineError `ENGINE_NETWORK`.
   * @param observations [B, ...observationShape] f32, normalised.
   * @returns distributionParameters [B, P] and value [B] or [B, 1], f32.
   */
  apply(
    parameter: (name: string) => Tensor,
    observations: Tensor,
  ): { readonly distributionParameters: Tensor; readonly value: Tensor };
}

export type CreateCustomNetwork = (tf: TensorFlow, context: CustomNetworkContext) => CustomNetwork;

/**
 * Imports the module of a custom spec and makes its network.
 *
 * @throws EngineError `ENGINE_NETWORK` when the module cannot be imported or has no such export.
 */
export async function loadCustomNetwork(
  tf: TensorFlow,
  spec: ActingSpec,
  network: CustomSpec,
): Promise<CustomNetwork> {
  const { module: url } = network;
  let exported: Record<string, unknown>;
  try {
    exported = await importModule(url);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new EngineError('ENGINE_NETWORK', `Cannot import the network module ${url}: ${reason}`, {
      cause: error,
    });
  }
  const create = exported[network.export];
  if (typeof create !== 'function') {
    throw new EngineError(
      'ENGINE_NETWORK',
      `Expected ${url} to export the function \`${network.export}\`, got ${typeof create}; it exports ${Object.keys(exported).join(', ') || 'nothing'}.`,
    );
  }
  return (create as CreateCustomNetwork)(tf, {
    observationShape: spec.observationShape as readonly [number, ...number[]],
    numOutputs: distributionSize(spec.distribution),
    options: network.options,
  });
}

/**
 * The flat layout of a custom network: its parameters in the order it gives them, then `logStd`.
 *
 * @throws EngineError `ENGINE_NETWORK` for a gsde policy, which needs a latent layer that a custom network does not name.
 */
export function customParameterLayout(spec: ActingSpec, network: CustomNetwork): ParameterLayout {
  if (spec.distribution.kind === 'gsde') {
    throw new EngineError(
      'ENGINE_NETWORK',
      'gSDE needs an MLP or a convolutional network, got a custom one.',
    );
  }
  const tensors = network.parameters.map(({ name, shape }) => ({ name, shape }));
  const numLogStds = freeLogStdSize(spec.distribution);
  if (numLogStds > 0 && !tensors.some(({ name }) => name === 'logStd'))
    tensors.push({ name: 'logStd', shape: [numLogStds] });
  return createParameterLayout(tensors);
}

/** Overwrites the entries whose parameter brings its own initial values. */
export function initializeCustomParameters(
  network: CustomNetwork,
  layout: ParameterLayout,
  parameters: Float32Array,
  stream: Stream,
): void {
  for (const { name, initialize } of network.parameters) {
    const entry = layout.entries.find((candidate) => candidate.name === name);
    if (initialize === undefined || entry === undefined) continue;
    const values = initialize(stream);
    if (values.length !== entry.size) {
      throw new EngineError(
        'ENGINE_NETWORK',
        `Expected \`initialize\` of the parameter ${name} to give ${entry.size} numbers, got ${values.length}.`,
      );
    }
    parameters.set(values, entry.offset);
  }
}
