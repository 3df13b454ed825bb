/** From an environment and options to what a model's networks read, and how deep they are. */

import { describeSpace } from '../env/space-json.ts';
import type { FlatAction } from '../env/spaces.ts';
import { ConfigError } from '../errors.ts';
import type { ConvTrunk, MlpTrunk, ModelCell, ModelInput } from '../policy/networks/model.ts';
import type { Activation } from '../policy/policy-spec.ts';
import type { EnvDescription } from './environment-source.ts';
import { chooseConvLayers } from './policy-setup.ts';

export interface TrunkOptions {
  readonly network: string;
  readonly hiddenSizes: readonly number[];
  readonly activation: Activation;
  readonly convLayers: readonly (readonly [number, number, number])[] | null;
  readonly layerNorm?: boolean;
  /** 0 = none. */
  readonly dropout?: number;
  /** Of a cell before the hidden layers, and its units; absent or null = none. */
  readonly recurrent?: ModelCell['kind'] | null;
  readonly recurrentSize?: number;
}

/** The observation as networks read it. */
export function observationInput(
  { observation }: EnvDescription,
  { network, isNormalized }: { readonly network: string; readonly isNormalized: boolean },
): ModelInput {
  const { size, dtype, shape } = observation;
  return {
    size,
    dtype,
    shape: network === 'mlp' ? [size] : shape,
    isNormalized: isNormalized || dtype === 'uint8',
  };
}

/** @throws {@link ConfigError} `CONFIG_NETWORK` for convolutions over what is no image, or a network of the user's. */
export function createTrunk({ observation }: EnvDescription, options: TrunkOptions): MlpTrunk | ConvTrunk {
  const { network, hiddenSizes, activation, layerNorm = false, dropout = 0 } = options;
  const { recurrent = null, recurrentSize: size = 0 } = options;
  if (network === 'mlp')
    return {
      ...{ kind: 'mlp', hiddenSizes, activation, layerNorm, ...(dropout > 0 && { dropout }) },
      ...(recurrent !== null && { cell: { kind: recurrent, size } }),
    };
  if (network === 'conv')
    return {
      kind: 'conv',
      layers: chooseConvLayers(observation.shape, options.convLayers),
      hiddenSizes,
      activation,
    };
  throw new ConfigError(
    'CONFIG_NETWORK',
    `network (${network}) must be 'mlp' or 'conv': networks of your own are for on-policy algorithms such as ppo.`,
  );
}

/** The critics' trunk, by an actor-critic algorithm's options. */
export function createCriticTrunk(
  env: EnvDescription,
  options: TrunkOptions & {
    readonly criticHiddenSizes: readonly number[] | null;
    readonly criticLayerNorm: boolean;
    readonly criticDropout: number;
  },
): MlpTrunk | ConvTrunk {
  const { criticHiddenSizes, criticLayerNorm: layerNorm, criticDropout: dropout } = options;
  const hiddenSizes = criticHiddenSizes ?? options.hiddenSizes;
  return createTrunk(env, { ...options, hiddenSizes, layerNorm, dropout });
}

/**
 * Continuous actions between finite bounds, which are scaled from [-1, 1].
 *
 * @throws {@link ConfigError} `CONFIG_ACTION_SPACE` naming what was given, and the algorithms that are for it.
 */
export function boundedBox(
  { action, actionSpace }: EnvDescription,
  algorithm: string,
): Extract<FlatAction, { kind: 'box' }> {
  if (action.kind !== 'box') {
    throw new ConfigError(
      'CONFIG_ACTION_SPACE',
      `${algorithm} is for continuous actions (Box), got ${describeSpace(actionSpace)}. Use sac-discrete, dqn or ppo.`,
    );
  }
  const unbounded = [...action.low, ...action.high].findIndex((bound) => !Number.isFinite(bound));
  if (unbounded >= 0) {
    throw new ConfigError(
      'CONFIG_ACTION_SPACE',
      `${algorithm} scales actions from [-1, 1] to their bounds, which must be finite, got ${describeSpace(actionSpace)}. ` +
        'Bound the space to what the actuator can do, or use ppo.',
    );
  }
  return action;
}
