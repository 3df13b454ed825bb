/** A trained policy where there are no threads, files, kernels or TensorFlow: a browser tab, an edge function, a small service. */
import { createActionMapping } from '../acting/action-mapping.ts';
import { createActionNoise } from '../acting/noise.ts';
import { writeMask } from '../acting/write-mask.ts';
import { unflattenAction } from '../env/flatten-action.ts';
import { flattenObservation } from '../env/flatten-space.ts';
import type { Space } from '../env/spaces.ts';
import type { ObservationArray } from '../env/vector-env.ts';
import { EngineError, ShapeError } from '../errors.ts';
import { createActionChoice } from '../policy/choose-actions.ts';
import { type ActionDistribution, describeDistribution } from '../policy/inspection.ts';
import { assertKnownSpec } from '../policy/networks/known-spec.ts';
import { openMlpForward } from '../policy/networks/mlp-forward.ts';
import { plainMlpLayout } from '../policy/networks/mlp-parameters.ts';
import type { RowOutputs } from '../policy/networks/row-outputs.ts';
import { type ActingSpec, actionDtype, actionSize, latentSize, noiseSize } from '../policy/policy-spec.ts';
import { writeBehaviourValues } from '../policy/sample-rows.ts';
import { actorNoiseSeed } from '../random/actor-seed.ts';
import type { DescribedPolicy } from './describe-policy.ts';
import { readParameters } from './read-parameters.ts';

export interface PortableMaskOption {
  /** 1 = allowed, 0 = forbidden; required when the policy was trained with action masks, and not looked at otherwise. */
  readonly actionMask?: ArrayLike<number> | undefined;
}

export interface PortableActOptions extends PortableMaskOption {
  /** The distribution's mode instead of a sample. @defaultValue true */
  readonly deterministic?: boolean;
}

/** Acts in one episode after another, with action noise of its own. Not to be shared by two episodes at once. */
export interface PortableActor {
  /** As {@link PortablePolicy.act}; with `deterministic: false` a sample. */
  act(observation: unknown, options?: PortableActOptions): unknown;
  /** Begins a new episode. @param seed of its action noise. @defaultValue 0 */
  reset(seed?: number): void;
}

/**
 * What {@link loadPolicy} and {@link createPolicy} give. Statistics, clipping, masks and the mapping into the action space's bounds are inside:
 * observations go in as the environment gives them, actions come out as it takes them.
 *
 * Float64 sums over float32 weights: outputs agree with the training engines up to float32 rounding, so the same action is chosen unless two are
 * equally good to seven digits. Cost: 10 to 20 us an action for 2 x 64. Thread: any, one policy each.
 */
export interface PortablePolicy {
  readonly spec: ActingSpec;
  readonly observationSpace: Space;
  readonly actionSpace: Space;
  /**
   * The most likely action.
   *
   * @throws ShapeError `SHAPE_OBSERVATION`, `SHAPE_ACTION_MASK`.
   */
  act(observation: unknown, options?: PortableMaskOption): unknown;
  /** The same for many, in their order. @param actionMasks one for each, where the policy was trained with them. */
  actBatch(observations: readonly unknown[], actionMasks?: readonly ArrayLike<number>[]): unknown[];
  /** How likely actions are, in the distribution's own terms. */
  distribution(observation: unknown, options?: PortableMaskOption): ActionDistribution;
  /**
   * Probabilities of each component's choices (Discrete: one component), or of 1 for each bit.
   *
   * @throws EngineError `ENGINE_INSPECT` where actions are continuous or chosen by their values: use `distribution`.
   */
  probabilities(observation: unknown, options?: PortableMaskOption): readonly (readonly number[])[];
  /**
   * Expected discounted return: of the value head, or of the greedy action where the network gives action values (with several branches the mean of
   * theirs); null for a policy that has neither.
   */
  value(observation: unknown, options?: PortableMaskOption): number | null;
  /**
   * Someone who acts through episodes, and samples.
   *
   * @param seed of the first episode's action noise, as `reset` takes it: the same draws as those of `loadPolicy(path).actor()` in 'operant'.
   */
  actor(seed?: number): PortableActor;
}

/**
 * @param weights a safetensors file.
 * @throws EngineError `ENGINE_NETWORK` for a network that is no MLP; CheckpointError `CHECKPOINT_NETWORK`.
 */
export function openMlpPolicy(described: DescribedPolicy, weights: Uint8Array): PortablePolicy {
  const { network } = described.spec;
  if (network.kind !== 'mlp') {
    const message = `operant/policy acts with MLPs, not '${network.kind}': see 'operant/policy/recurrent', \`operant export\`, \`operant serve\`.`;
    throw new EngineError('ENGINE_NETWORK', message);
  }
  assertKnownSpec(described.spec, 'operant/policy');
  const spec = { ...described.spec, network };
  const { parameters, statistics } = readParameters(weights, plainMlpLayout(spec), spec);
  return openPortablePolicy(described, openMlpForward(spec, parameters, statistics));
}

/** A network over one flat observation; @param options what it was asked with. */
export type PortableForward = (observation: ObservationArray, options: PortableMaskOption) => RowOutputs;

export function openPortablePolicy(
  { spec, observationSpace, actionSpace }: DescribedPolicy,
  forward: PortableForward,
): PortablePolicy {
  const observation =
    spec.observationDtype === 'uint8'
      ? new Uint8Array(spec.observationSize)
      : new Float32Array(spec.observationSize); // [obsSize]
  const mask = spec.actionMaskSize > 0 ? new Uint8Array(spec.actionMaskSize) : null; // [maskSize] u8
  const look: Look = (given, options = {}, row) => {
    writeObservation(observationSpace, given, observation, row);
    writeMask(spec, options.actionMask, mask, 0);
    return forward(observation, options);
  };
  const greedy = createChooser(spec, actionSpace, mask);
  const distribution: PortablePolicy['distribution'] = (given, options) =>
    describeDistribution(spec.distribution, look(given, options), mask);
  return {
    spec,
    observationSpace,
    actionSpace,
    act: (given, options) => greedy.choose(look(given, options), true),
    actBatch: (observations, masks) =>
      observations.map((given, row) => greedy.choose(look(given, { actionMask: masks?.[row] }, row), true)),
    distribution,
    probabilities: (given, options) => probabilitiesOf(distribution(given, options)),
    value: createValue(spec, look, mask),
    actor: (seed = 0) => createActor(createChooser(spec, actionSpace, mask), look, seed),
  };
}

/** Reads an observation and its mask, and runs the network. */
type Look = (observation: unknown, options?: PortableMaskOption, row?: number) => RowOutputs;

interface Chooser {
  choose(row: RowOutputs, deterministic: boolean): unknown;
  begin(seed: number): void;
}

/** @param row index in a batch; undefined = there is only one. */
function writeObservation(space: Space, observation: unknown, out: ObservationArray, row?: number): void {
  try {
    flattenObservation(space, observation, out, 0);
  } catch (error) {
    if (row === undefined) throw error;
    throw new ShapeError('SHAPE_OBSERVATION', `Observation ${row}: ${(error as Error).message}`);
  }
}

/** From a row's outputs to an action; holds the action noise of one actor. */
function createChooser(spec: ActingSpec, actionSpace: Space, masks: Uint8Array | null): Chooser {
  const { distribution } = spec;
  const A = actionSize(distribution);
  const noise = new Float32Array(noiseSize(spec)); // [noiseSize] f32
  const actionNoise = createActionNoise(spec, 1, noise);
  const chooseActions = createActionChoice(spec);
  const mapAction = createActionMapping(spec);
  const actions = actionDtype(distribution) === 'int32' ? new Int32Array(A) : new Float32Array(A); // [A]
  const latent = new Float32Array(latentSize(spec)); // [H] f32
  return {
    choose({ outputs, logStd, latent: hidden }, deterministic) {
      if (!deterministic) actionNoise.fill(0);
      latent.set(hidden);
      const row = {
        numRows: 1,
        distributionParameters: outputs,
        latent,
        logStd,
        masks,
        noise,
        deterministic,
        actions,
      };
      chooseActions(row);
      mapAction(actions, 0, actions, 0);
      return unflattenAction(actionSpace, actions, 0);
    },
    begin: (seed) => actionNoise.begin(0, actorNoiseSeed(seed)),
  };
}

function createActor(chooser: Chooser, look: Look, firstSeed: number): PortableActor {
  chooser.begin(firstSeed);
  return {
    act: (observation, options = {}) =>
      chooser.choose(look(observation, options), options.deterministic ?? true),
    reset: (seed = 0) => chooser.begin(seed),
  };
}

function createValue(spec: ActingSpec, look: Look, masks: Uint8Array | null): PortablePolicy['value'] {
  if (spec.distribution.kind !== 'epsilon-greedy') return (given, options) => look(given, options).value;
  const value = new Float64Array(1);
  return (given, options) => {
    writeBehaviourValues(spec, look(given, options).outputs, masks, 1, value);
    return value[0];
  };
}

function probabilitiesOf(distribution: ActionDistribution): readonly (readonly number[])[] {
  if (distribution.kind === 'categorical') return distribution.probabilities;
  if (distribution.kind === 'bernoulli') return [distribution.probabilities];
  const message = `The distribution is of kind '${distribution.kind}', without probabilities of single actions: use distribution(observation).`;
  throw new EngineError('ENGINE_INSPECT', message);
}
