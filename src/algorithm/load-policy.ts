/** A trained policy for plain use: a program, a server, a game. No environment, no learner, no worker threads. */

import { createActionMapping } from '../acting/action-mapping.ts';
import {
  type BatchActor,
  createCentralBatchActor,
  createKernelActor,
  type KernelActor,
} from '../acting/batch-actor.ts';
import { createActionNoise } from '../acting/noise.ts';
import type { CheckpointContent, NamedTensor } from '../checkpoint/content.ts';
import { loadCheckpoint } from '../checkpoint/load-checkpoint.ts';
import { requireTrust } from '../checkpoint/trust.ts';
import { unflattenAction } from '../env/flatten-action.ts';
import { flattenObservation } from '../env/flatten-space.ts';
import { describeSpace } from '../env/space-json.ts';
import { explainMismatch } from '../env/space-values.ts';
import type { Space } from '../env/spaces.ts';
import type { ActionArray } from '../env/vector-env.ts';
import { ConfigError, EngineError, ShapeError } from '../errors.ts';
import { assertFileUrl, locateModule } from '../modules/module-reference.ts';
import { mlpParameterLayout } from '../policy/networks/mlp-parameters.ts';
import { type ActingSpec, actionDtype, actionSize } from '../policy/policy-spec.ts';
import { openStream } from '../random/streams.ts';
import { loadKernels } from '../simd/loader.ts';
import type { ObservationStatistics } from '../weights/observation-statistics.ts';
import { tensorsToParameters } from './parameter-content.ts';
import { type PolicyFiles, readPolicyFiles } from './read-policy.ts';

export interface ActOptions {
  /** The distribution's mode instead of a sample. @defaultValue true */
  readonly deterministic?: boolean;
  /** 1 = allowed, 0 = forbidden; required when the policy was trained with action masks. */
  readonly actionMask?: ArrayLike<number>;
}

/** Acts in one episode after another; holds what belongs to the running one. Not to be shared by two episodes at once. */
export interface Actor {
  /**
   * The action for an observation, as the environment would get it. Cost: a few microseconds for a small MLP.
   *
   * @throws {@link ShapeError} `SHAPE_OBSERVATION`, `SHAPE_ACTION_MASK`; EngineError `ENGINE_ASYNC` for a network that only
   * TensorFlow covers: use `actAsync`.
   */
  act(observation: unknown, options?: ActOptions): unknown;
  /** The same for every network. */
  actAsync(observation: unknown, options?: ActOptions): Promise<unknown>;
  /** Begins a new episode. @param seed seeds the action noise of stochastic acting; default 0. */
  reset(seed?: number): void;
}

export interface Policy {
  readonly spec: ActingSpec;
  readonly observationSpace: Space;
  readonly actionSpace: Space;
  /** f32, the flat parameter vector. */
  readonly parameters: Float32Array;
  actor(): Actor;
}

export interface LoadPolicyOptions {
  /** Load the module that the checkpoint names for a network of somebody's own: its code runs. @defaultValue false */
  readonly trust?: boolean;
  /** Instead: that network's module given anew, `./my-network.ts#name`; also where the file has moved. */
  readonly network?: string;
}

/**
 * Loads the policy of a checkpoint, a run folder (its latest) or a pointer file. Nothing that the files name is run, with one exception
 * that needs consent: a custom network is a module.
 *
 * @throws {@link CheckpointError} when the path holds no whole checkpoint or no policy; `CHECKPOINT_TRUST` for a network of
 * somebody's own that is neither trusted nor given.
 * Cost: tens of milliseconds for an MLP; TensorFlow's start-up for other networks.
 */
export async function loadPolicy(path: string, options: LoadPolicyOptions = {}): Promise<Policy> {
  const { spec, parameters, createActor, ...spaces } = await openPolicyActor(path, options);
  return { spec, ...spaces, parameters, actor: () => createEpisodeActor(createActor(), spec, spaces) };
}

/** The same as {@link loadPolicy}, for flat rows: one row an actor. */
export async function openPolicyActor(
  path: string,
  options: LoadPolicyOptions = {},
): Promise<PolicySpaces & OpenedNetwork & { readonly spec: ActingSpec }> {
  const { content } = await loadCheckpoint(path, { withSegments: false });
  const files = readPolicyFiles(content, path);
  const { observationSpace, actionSpace } = files;
  const spec = withTrustedNetwork(path, files.spec, options);
  return { spec, ...(await openNetwork({ ...files, spec }, content)), observationSpace, actionSpace };
}

function withTrustedNetwork(path: string, spec: ActingSpec, options: LoadPolicyOptions): ActingSpec {
  const { network } = spec;
  const { network: given, trust = false } = options;
  if (given !== undefined) {
    if (network.kind !== 'custom') {
      const message = `\`network\` (${given}) is for a checkpoint with a network of your own, and this one has kind '${network.kind}': leave it out.`;
      throw new ConfigError('CONFIG_NETWORK', message);
    }
    const { url, exportName = 'default' } = locateModule(given, { code: 'CONFIG_NETWORK', what: 'network' });
    return { ...spec, network: { ...network, module: url, export: exportName } };
  }
  if (network.kind !== 'custom') return spec;
  assertFileUrl(network.module);
  const reference = `${network.module}#${network.export}`;
  requireTrust(path, [{ option: 'training.network', flag: 'network:', reference }], trust);
  return spec;
}

interface OpenedNetwork {
  readonly parameters: Float32Array;
  createActor(): BatchActor | KernelActor;
}

async function openNetwork(
  { spec, weights, statistics }: PolicyFiles,
  { json }: CheckpointContent,
): Promise<OpenedNetwork> {
  if (spec.network.kind !== 'mlp') return openTensorNetwork(spec, weights, statistics);
  const layout = mlpParameterLayout(spec);
  const parameters = tensorsToParameters(weights, layout);
  const { deterministic } = (json['config.json']?.debugging ?? {}) as { deterministic?: boolean };
  const kernels = await loadKernels({ shared: false, deterministic: deterministic === true });
  return {
    parameters,
    createActor() {
      const actor = createKernelActor(kernels, spec, layout.size, 1);
      actor.setWeights(parameters, statistics);
      return actor;
    },
  };
}

async function openTensorNetwork(
  spec: ActingSpec,
  weights: Readonly<Record<string, NamedTensor>>,
  statistics: ObservationStatistics | null,
): Promise<OpenedNetwork> {
  const { openTensorFlowPolicy } = await import('../learner/tensorflow/open-policy.ts');
  const { policy, layout } = await openTensorFlowPolicy(spec);
  const parameters = tensorsToParameters(weights, layout);
  policy.publish(parameters, statistics);
  return { parameters, createActor: () => createCentralBatchActor(policy, spec, 1) };
}

interface PolicySpaces {
  readonly observationSpace: Space;
  readonly actionSpace: Space;
}

function createEpisodeActor(
  batch: BatchActor | KernelActor,
  spec: ActingSpec,
  { observationSpace, actionSpace }: PolicySpaces,
): Actor {
  const noise = createActionNoise(spec, 1, batch.noise);
  const mapAction = createActionMapping(spec);
  const isDiscrete = actionDtype(spec.distribution) === 'int32';
  const A = actionSize(spec.distribution);
  const mapped: ActionArray = isDiscrete ? new Int32Array(A) : new Float32Array(A); // [A]
  const prepare = (observation: unknown, { deterministic = true, actionMask }: ActOptions): void => {
    writeObservation(observationSpace, observation, batch);
    writeMask(spec, actionMask, batch.masks);
    if (!deterministic) noise.fill(0);
  };
  const finish = (): unknown => {
    mapAction(batch.actions, 0, mapped, 0);
    return unflattenAction(actionSpace, mapped, 0);
  };
  noise.begin(0, 0);
  return {
    act(observation, options = {}) {
      if (!('actNow' in batch)) {
        throw new EngineError(
          'ENGINE_ASYNC',
          `A ${spec.network.kind} network runs on TensorFlow, which answers later: use \`await actor.actAsync(observation)\`.`,
        );
      }
      prepare(observation, options);
      batch.actNow(1, options.deterministic ?? true);
      return finish();
    },
    async actAsync(observation, options = {}) {
      prepare(observation, options);
      await batch.act(1, options.deterministic ?? true);
      return finish();
    },
    reset: (seed = 0) => noise.begin(0, openStream(seed, 'actor').integer(2 ** 32)),
  };
}

function writeObservation(space: Space, observation: unknown, { observations }: BatchActor): void {
  try {
    flattenObservation(space, observation, observations, 0);
  } catch (cause) {
    const reason = explainMismatch(space, observation, 'observation') ?? String(cause);
    throw new ShapeError(
      'SHAPE_OBSERVATION',
      `Expected an observation in ${describeSpace(space)}: ${reason}`,
      { cause },
    );
  }
}

function writeMask(
  { actionMaskSize }: ActingSpec,
  mask: ArrayLike<number> | undefined,
  out: Uint8Array | null,
): void {
  if (out === null) return;
  if (mask === undefined || mask.length !== actionMaskSize) {
    throw new ShapeError(
      'SHAPE_ACTION_MASK',
      `Expected \`actionMask\` of length ${actionMaskSize}, with which this policy was trained, got ${mask === undefined ? 'none' : `length ${mask.length}`}.`,
    );
  }
  out.set(mask);
}
