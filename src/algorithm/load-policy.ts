/** A trained policy for plain use: a program, a server, a game. No environment, no learner, no worker threads. */

import {
  type BatchActor,
  createCentralBatchActor,
  createKernelActor,
  type KernelActor,
} from '../acting/batch-actor.ts';
import type { CheckpointContent, NamedTensor } from '../checkpoint/content.ts';
import { loadCheckpoint } from '../checkpoint/load-checkpoint.ts';
import { requireTrust } from '../checkpoint/trust.ts';
import type { Space } from '../env/spaces.ts';
import { ConfigError } from '../errors.ts';
import { assertFileUrl, locateModule } from '../modules/module-reference.ts';
import { inProcessLayout } from '../policy/networks/attention-parameters.ts';
import { type ActingSpec, actsInRunners } from '../policy/policy-spec.ts';
import { loadKernels } from '../simd/loader.ts';
import type { ObservationStatistics } from '../weights/observation-statistics.ts';
import { tensorsToParameters } from './parameter-content.ts';
import {
  type ActBatch,
  type Actor,
  createActBatch,
  createEpisodeActor,
  createInspect,
  type Inspect,
  type PolicySpaces,
} from './policy-calls.ts';
import { type PolicyFiles, readPolicyFiles } from './read-policy.ts';

export interface Policy {
  readonly spec: ActingSpec;
  readonly observationSpace: Space;
  readonly actionSpace: Space;
  /** f32, the flat parameter vector. */
  readonly parameters: Float32Array;
  actor(): Actor;
  /**
   * What the policy makes of one observation: the distribution of its actions, and the value of the state. For looking at it (a chart, a
   * test, a log), not for acting: float64, about 20 us for 2 x 64.
   *
   * @throws ShapeError as `act`; EngineError `ENGINE_INSPECT` for networks that only TensorFlow covers.
   */
  readonly inspect: Inspect;
  /**
   * The most likely actions for many observations in one call of the kernels, in their order: 64 rows of a 2 x 64 policy take some 40 us
   * besides the reading of the observations.
   *
   * @param actionMasks one for each observation, where the policy was trained with them.
   * @throws ShapeError `SHAPE_OBSERVATION`, `SHAPE_ACTION_MASK` naming the index; EngineError `ENGINE_ASYNC` for networks that only TensorFlow covers.
   */
  readonly actBatch: ActBatch;
}

export interface LoadPolicyOptions {
  /** Load the module that the checkpoint names for a network of somebody's own: its code runs. @defaultValue false */
  readonly trust?: boolean;
  /** Instead: that network's module given anew, `./my-network.ts#name`; also where the file has moved. */
  readonly network?: string;
  /** Which one, of a run with several policies. @defaultValue 'default' */
  readonly policy?: string;
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
  const { content } = await loadCheckpoint(path, { withSegments: false });
  return openContentPolicy(content, path, options);
}

/** The same for a state in memory. @param path for messages. */
export async function openContentPolicy(
  content: CheckpointContent,
  path: string,
  options: LoadPolicyOptions = {},
): Promise<Policy> {
  const opened = await openContentActor(content, path, options);
  const { spec, parameters, createActor, statistics, observationSpace, actionSpace } = opened;
  const spaces = { observationSpace, actionSpace };
  return {
    spec,
    ...spaces,
    parameters,
    actor: () => createEpisodeActor(createActor(1), spec, spaces),
    inspect: createInspect(spec, parameters, statistics, observationSpace),
    actBatch: createActBatch(createActor, spec, spaces),
  };
}

/** The same as {@link loadPolicy}, for flat rows: one row an actor. */
export async function openPolicyActor(path: string, options: LoadPolicyOptions = {}): Promise<OpenedPolicy> {
  const { content } = await loadCheckpoint(path, { withSegments: false });
  return openContentActor(content, path, options);
}

async function openContentActor(
  content: CheckpointContent,
  path: string,
  options: LoadPolicyOptions,
): Promise<OpenedPolicy> {
  const files = readPolicyFiles(content, path, options.policy);
  const { observationSpace, actionSpace } = files;
  const spec = withTrustedNetwork(path, files.spec, options);
  const { statistics } = files;
  const network = await openNetwork({ ...files, spec }, content);
  return { spec, statistics, ...network, observationSpace, actionSpace };
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

type OpenedPolicy = PolicySpaces &
  OpenedNetwork & { readonly spec: ActingSpec; readonly statistics: ObservationStatistics | null };

interface OpenedNetwork {
  readonly parameters: Float32Array;
  /** Which may act for this many rows in one call. */
  createActor(maxRows: number): BatchActor | KernelActor;
}

async function openNetwork(
  { spec, weights, statistics }: PolicyFiles,
  { json }: CheckpointContent,
): Promise<OpenedNetwork> {
  if (!actsInRunners(spec.network)) return openTensorNetwork(spec, weights, statistics);
  const layout = inProcessLayout(spec);
  const parameters = tensorsToParameters(weights, layout);
  const { deterministic } = (json['config.json']?.debugging ?? {}) as { deterministic?: boolean };
  const kernels = await loadKernels({ shared: false, deterministic: deterministic === true });
  return {
    parameters,
    createActor(maxRows) {
      const actor = createKernelActor(kernels, spec, layout.size, maxRows);
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
  return {
    parameters,
    createActor: (maxRows) => ({
      ...createCentralBatchActor(policy, spec, maxRows),
      prepare: () => policy.prepare(maxRows),
    }),
  };
}
