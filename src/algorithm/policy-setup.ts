/** From an environment's spaces and a config to a policy spec. */
import { flattenActionSpace } from '../env/flatten-action.ts';
import { flattenObservationSpace } from '../env/flatten-space.ts';
import { describeSpace } from '../env/space-json.ts';
import type { FlatActionPart, Space } from '../env/spaces.ts';
import type { VectorEnv } from '../env/vector-env.ts';
import { ConfigError } from '../errors.ts';
import type { JsonObject } from '../json.ts';
import type {
  Activation,
  AttentionSpec,
  DistributionSpec,
  NetworkSpec,
  PolicySpec,
  ProductHead,
  RecurrentSpec,
} from '../policy/policy-spec.ts';

/** The options that shape a policy; PPO's `training` and `envRunners` sections have them. */
export interface PolicyOptions {
  readonly network: string;
  readonly networkOptions: JsonObject;
  readonly hiddenSizes: readonly number[];
  readonly activation: Activation;
  readonly sharedLayers: boolean;
  readonly convLayers: readonly (readonly [number, number, number])[] | null;
  readonly orthogonalInit: boolean;
  readonly hiddenGain: number;
  readonly policyGain: number;
  readonly valueGain: number;
  readonly logStdInit: number;
  readonly squashActions: boolean;
  readonly useGsde: boolean;
  readonly gsdeSampleFrequency: number;
  /** Of algorithms that train recurrent policies; absent or null = none. */
  readonly recurrent?: 'lstm' | 'gru' | 'attention' | null;
  readonly recurrentSize?: number;
  readonly recurrentLayers?: number;
  readonly recurrentPosition?: number | 'first' | 'last';
  readonly forgetBias?: number;
  readonly attentionWindow?: number;
  readonly attentionHeads?: number;
  readonly attentionGateBias?: number;
  readonly normalizeObservations: boolean;
  readonly clipObservation: number;
}

/** From what stands in the option `network` to a module's URL and export; there are no files in a browser, so the caller brings it. */
export type LocateNetwork = (
  network: string,
  cwd?: string,
) => { readonly url: string; readonly exportName: string | undefined };

/** Nature-CNN (Mnih et al. 2015) for images of 36 pixels a side and more; one 3x3 layer for small grids. */
const NATURE_CNN = [
  [32, 8, 4],
  [64, 4, 2],
  [64, 3, 1],
] as const;
const GRID_CNN = [[16, 3, 1]] as const;

/**
 * @throws {@link ConfigError} `CONFIG_ACTION_SPACE` when options and action space do not fit, `CONFIG_NETWORK` when the
 * network and the observation space do not.
 */
export function createPolicySpec(
  env: Pick<VectorEnv, 'observationSpace' | 'actionSpace' | 'actionMaskSize'>,
  options: PolicyOptions,
  locate: LocateNetwork,
): PolicySpec {
  const observation = flattenObservationSpace(env.observationSpace);
  return {
    observationSize: observation.size,
    observationDtype: observation.dtype,
    observationShape: options.network === 'mlp' ? [observation.size] : observation.shape,
    actionMaskSize: env.actionMaskSize,
    network: createNetworkSpec(observation.shape, options, locate),
    distribution: createDistribution(env.actionSpace, options),
    normalizeObservations: options.normalizeObservations || observation.dtype === 'uint8',
    clipObservation: options.clipObservation,
    initialization: {
      orthogonal: options.orthogonalInit,
      hiddenGain: options.hiddenGain,
      policyGain: options.policyGain,
      valueGain: options.valueGain,
      logStd: options.logStdInit,
      ...biasOfMemory(options),
    },
  };
}

function createNetworkSpec(
  shape: readonly number[],
  options: PolicyOptions,
  locate: LocateNetwork,
): NetworkSpec {
  const { network, hiddenSizes, activation } = options;
  if (network === 'mlp' && options.recurrent) return createMemorySpec(options, options.recurrent);
  if (network === 'mlp') return { kind: 'mlp', hiddenSizes, activation, shared: options.sharedLayers };
  if (network !== 'conv') {
    const { url, exportName = 'default' } = locate(network);
    return { kind: 'custom', module: url, export: exportName, options: options.networkOptions };
  }
  const layers = chooseConvLayers(shape, options.convLayers);
  return { kind: 'conv', layers, hiddenSizes, activation };
}

/** How far a fresh memory is kept, or passed by. */
function biasOfMemory({
  recurrent = null,
  forgetBias = 0,
  attentionGateBias: gateBias = 2,
}: PolicyOptions): Partial<PolicySpec['initialization']> {
  if (recurrent === null) return {};
  return recurrent === 'attention' ? { gateBias } : { forgetBias };
}

function createMemorySpec(
  options: PolicyOptions,
  recurrent: 'lstm' | 'gru' | 'attention',
): RecurrentSpec | AttentionSpec {
  const { recurrentSize: size = 0, recurrentLayers: numBlocks = 1, hiddenSizes, activation } = options;
  const { attentionWindow: window = 0, attentionHeads: numHeads = 1, sharedLayers: shared } = options;
  if (recurrent === 'attention')
    return { kind: 'attention', size, numHeads, window, numBlocks, hiddenSizes, activation, shared };
  return { kind: 'recurrent', cell: recurrent, size, ...placeCells(options), activation, shared };
}

/** One cell before all layers is what a spec says by saying nothing. */
function placeCells({
  hiddenSizes,
  recurrentLayers = 1,
  recurrentPosition = 'first',
}: PolicyOptions): Pick<RecurrentSpec, 'numLayers' | 'sizesBefore' | 'hiddenSizes'> {
  const layersBefore =
    recurrentPosition === 'first' ? 0 : recurrentPosition === 'last' ? hiddenSizes.length : recurrentPosition;
  return {
    ...(recurrentLayers > 1 && { numLayers: recurrentLayers }),
    ...(layersBefore > 0 && { sizesBefore: hiddenSizes.slice(0, layersBefore) }),
    hiddenSizes: hiddenSizes.slice(layersBefore),
  };
}

/**
 * The convolutions over an image: those that were asked for, or Nature-CNN's, or one layer for small grids.
 *
 * @throws {@link ConfigError} `CONFIG_NETWORK` for what is no image, or where nothing is left of it.
 */
export function chooseConvLayers(
  shape: readonly number[],
  wanted: readonly (readonly [number, number, number])[] | null,
): readonly (readonly [number, number, number])[] {
  if (shape.length !== 3) {
    throw new ConfigError(
      'CONFIG_NETWORK',
      `network: 'conv' needs observations [height, width, channels], got [${shape.join(', ')}]. Use network: 'mlp'.`,
    );
  }
  const layers = wanted ?? (Math.min(shape[0], shape[1]) >= 36 ? NATURE_CNN : GRID_CNN);
  let [height, width] = shape;
  for (const [, kernelSize, stride] of layers) {
    height = Math.floor((height - kernelSize) / stride) + 1;
    width = Math.floor((width - kernelSize) / stride) + 1;
    if (height < 1 || width < 1) {
      throw new ConfigError(
        'CONFIG_NETWORK',
        `convLayers ${JSON.stringify(layers)} leave nothing of a ${shape[0]} x ${shape[1]} image. Use fewer or smaller layers.`,
      );
    }
  }
  return layers;
}

function createDistribution(space: Space, options: PolicyOptions): DistributionSpec {
  const flat = flattenActionSpace(space);
  const parts = flat.kind === 'product' ? flat.parts : [flat];
  if (options.useGsde && flat.kind !== 'box') throw onlyContinuous('useGsde', space);
  if (options.squashActions && parts.every(({ kind }) => kind !== 'box'))
    throw onlyContinuous('squashActions', space);
  const heads = parts.map((part) => createHead(part, space, options));
  if (flat.kind === 'product') return { kind: 'product', heads };
  const [head] = heads;
  return options.useGsde && head.kind === 'gaussian'
    ? { ...head, kind: 'gsde', sampleFrequency: options.gsdeSampleFrequency }
    : head;
}

function onlyContinuous(option: 'useGsde' | 'squashActions', space: Space): ConfigError {
  return new ConfigError(
    'CONFIG_ACTION_SPACE',
    `${option} is for continuous actions (Box), got ${describeSpace(space)}. Leave it out.`,
  );
}

function createHead(part: FlatActionPart, space: Space, { squashActions }: PolicyOptions): ProductHead {
  if (part.kind !== 'box') return part;
  const { size, low, high } = part;
  const isUnbounded = [...low, ...high].some((bound) => !Number.isFinite(bound));
  if (squashActions && isUnbounded) {
    throw new ConfigError(
      'CONFIG_ACTION_SPACE',
      `squashActions needs finite action bounds, got ${describeSpace(space)}. Leave it out, or bound the space.`,
    );
  }
  return { kind: 'gaussian', size, squash: squashActions, low, high };
}
