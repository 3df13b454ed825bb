/** The ways to ask a loaded policy: an actor for episodes, many rows at once, and what is behind an action. */
import { createActionMapping } from '../acting/action-mapping.ts';
import type { BatchActor, KernelActor } from '../acting/batch-actor.ts';
import { createActionNoise } from '../acting/noise.ts';
import { writeMask } from '../acting/write-mask.ts';
import { writeObservation } from '../acting/write-observation.ts';
import { unflattenAction } from '../env/flatten-action.ts';
import type { Space } from '../env/spaces.ts';
import type { ActionArray } from '../env/vector-env.ts';
import { EngineError } from '../errors.ts';
import { inspectRow, type PolicyInspection } from '../policy/inspection.ts';
import { openMlpForward } from '../policy/networks/mlp-forward.ts';
import { recurrentStateSize } from '../policy/networks/recurrent-state.ts';
import type { RowForward } from '../policy/networks/row-outputs.ts';
import { type ActingSpec, actionDtype, actionSize } from '../policy/policy-spec.ts';
import { openStream } from '../random/streams.ts';
import type { ObservationStatistics } from '../weights/observation-statistics.ts';

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

/** @see Policy.inspect */
export type Inspect = (observation: unknown, options?: Pick<ActOptions, 'actionMask'>) => PolicyInspection;

/** @see Policy.actBatch */
export type ActBatch = (
  observations: readonly unknown[],
  actionMasks?: readonly ArrayLike<number>[],
) => unknown[];

export interface PolicySpaces {
  readonly observationSpace: Space;
  readonly actionSpace: Space;
}

export function createInspect(
  spec: ActingSpec,
  parameters: Float32Array,
  statistics: ObservationStatistics | null,
  observationSpace: Space,
): Inspect {
  let forward: RowForward | undefined;
  const observations =
    spec.observationDtype === 'uint8'
      ? new Uint8Array(spec.observationSize)
      : new Float32Array(spec.observationSize); // [obsSize]
  return (observation, { actionMask } = {}) => {
    const { network } = spec;
    if (network.kind !== 'mlp') {
      throw new EngineError(
        'ENGINE_INSPECT',
        `inspect() looks at MLPs, and this policy's network is of kind '${network.kind}'. Use an actor.`,
      );
    }
    forward ??= openMlpForward({ ...spec, network }, parameters, statistics);
    const mask = spec.actionMaskSize > 0 ? new Uint8Array(spec.actionMaskSize) : null; // [maskSize] u8
    writeObservation(observationSpace, observation, observations, 0);
    writeMask(spec, actionMask, mask, 0);
    return inspectRow(spec.distribution, forward(observations), mask);
  };
}

export function createActBatch(
  createActor: (maxRows: number) => BatchActor | KernelActor,
  spec: ActingSpec,
  { observationSpace, actionSpace }: PolicySpaces,
): ActBatch {
  let batch: BatchActor | KernelActor | undefined;
  const mapAction = createActionMapping(spec);
  const A = actionSize(spec.distribution);
  const isDiscrete = actionDtype(spec.distribution) === 'int32';
  const mapped: ActionArray = isDiscrete ? new Int32Array(A) : new Float32Array(A); // [A]
  return (observations, actionMasks) => {
    if (recurrentStateSize(spec) > 0) {
      throw new EngineError(
        'ENGINE_RECURRENT',
        'actBatch() knows nothing of episodes, and this policy remembers them. Use an actor for each episode: `policy.actor()`.',
      );
    }
    const numRows = observations.length;
    if (batch === undefined || batch.maxRows < numRows) batch = createActor(Math.max(1, numRows));
    const { masks, actions } = batch;
    if (!('actNow' in batch)) throw asynchronousNetwork(spec);
    for (const [row, observation] of observations.entries()) {
      const at = row * spec.observationSize;
      writeObservation(observationSpace, observation, batch.observations, at, row);
      writeMask(spec, actionMasks?.[row], masks, row * spec.actionMaskSize);
    }
    if (numRows > 0) batch.actNow(numRows, true);
    return observations.map((_, row) => {
      mapAction(actions, row * A, mapped, 0);
      return unflattenAction(actionSpace, mapped, 0);
    });
  };
}

export function createEpisodeActor(
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
    writeObservation(observationSpace, observation, batch.observations, 0);
    writeMask(spec, actionMask, batch.masks, 0);
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
        throw asynchronousNetwork(spec);
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
    reset(seed = 0) {
      noise.begin(0, openStream(seed, 'actor').integer(2 ** 32));
      batch.forget(0);
    },
  };
}

function asynchronousNetwork({ network }: ActingSpec): EngineError {
  return new EngineError(
    'ENGINE_ASYNC',
    `A ${network.kind} network runs on TensorFlow, which answers later: use \`await actor.actAsync(observation)\`.`,
  );
}
