/** Acting outside of a rollout: for evaluation, and for a trained policy in somebody's program. */
import type { ActionArray, ObservationArray } from '../env/vector-env.ts';
import { type Arena, createArena, createArenaPlanner } from '../memory/arena.ts';
import type { CentralPolicy } from '../policy/central-policy.ts';
import { recurrentStateSize } from '../policy/networks/recurrent-state.ts';
import { type ActingSpec, actionDtype, actionSize, noiseSize } from '../policy/policy-spec.ts';
import type { ActCall } from '../policy/row-policy.ts';
import { instantiateKernels, type KernelModule } from '../simd/kernels.ts';
import type { Exploration } from '../weights/exploration.ts';
import type { ObservationStatistics } from '../weights/observation-statistics.ts';
import { openWeightBuffer, reserveWeightBuffer } from '../weights/weight-buffer.ts';
import { createRowPolicy, rowPolicyScratchBytes } from './row-policies.ts';

/** Up to `maxRows` rows at a time. The arrays are the caller's to fill and read between calls. */
export interface BatchActor {
  readonly maxRows: number;
  readonly observations: ObservationArray; // [maxRows, obsSize]
  readonly masks: Uint8Array | null; // [maxRows, maskSize] u8
  readonly noise: Float32Array; // [maxRows, noiseSize] f32
  /** What a recurrent policy remembers, moved on by every call: f32 [maxRows, S], empty for others. */
  readonly states: Float32Array;
  /** Stored actions, before the mapping into the environment's bounds. */
  readonly actions: ActionArray; // [maxRows, A]
  act(numRows: number, deterministic: boolean): Promise<void>;
  /** Where the first call with some number of rows takes longer: does that now, for all of them. @returns bytes of weights that it holds. */
  prepare?(): Promise<number>;
  /** An episode begins in this row: what a recurrent policy remembers of the one before is gone. */
  forget(row: number): void;
}

/** Acts in its own thread over a small memory of its own: with the SIMD kernels, or (attention) in plain TypeScript. */
export type KernelActor = BatchActor & {
  /** @param exploration how it acts where it is not deterministic; default: not at all. */
  setWeights(
    parameters: Float32Array,
    statistics: ObservationStatistics | null,
    exploration?: Exploration,
  ): void;
  /** As `act`, done when it returns. */
  actNow(numRows: number, deterministic: boolean): void;
};

/** @param parameterCount size of the flat parameter vector. Cost: a few hundred microseconds and a memory of a few pages. */
export function createKernelActor(
  kernels: KernelModule,
  spec: ActingSpec,
  parameterCount: number,
  maxRows: number,
): KernelActor {
  const planner = createArenaPlanner();
  const weightLayout = reserveWeightBuffer(planner, parameterCount, spec.observationSize);
  const scratch = planner.reserve(rowPolicyScratchBytes(spec, maxRows));
  const addresses = reserveRows(planner.reserve, spec, maxRows);
  const arena = createArena(planner, kernels.shared);
  const weights = openWeightBuffer(arena.buffer, weightLayout);
  const policy = createRowPolicy(
    instantiateKernels(kernels, arena.memory),
    spec,
    arena,
    scratch,
    weightLayout,
  );
  const call: ActCall = {
    numRows: 0,
    weightsAddress: 0,
    observationAddress: addresses.observations,
    observationStride: spec.observationSize,
    maskAddress: spec.actionMaskSize > 0 ? addresses.masks : 0,
    maskStride: spec.actionMaskSize,
    noiseAddress: addresses.noise,
    deterministic: true,
    actionAddress: addresses.actions,
    actionStride: actionSize(spec.distribution),
    logProbAddress: 0,
    valueAddress: 0,
    scalarStride: 1,
    stateAddress: addresses.states,
  };
  const stateSize = recurrentStateSize(spec);
  const states = new Float32Array(arena.buffer, addresses.states, maxRows * stateSize); // [maxRows, S] f32
  const actNow = (numRows: number, deterministic: boolean): void => {
    call.numRows = numRows;
    call.deterministic = deterministic;
    policy.act(call);
  };
  return {
    ...openRows(arena, spec, maxRows, addresses),
    states,
    forget: (row) => void states.fill(0, row * stateSize, (row + 1) * stateSize),
    setWeights(parameters, statistics, exploration) {
      const { mean, inverseStd } = statistics ?? { mean: null, inverseStd: null };
      const version = weights.publish(parameters, mean, inverseStd, exploration);
      call.weightsAddress = weights.slotAddress(version);
    },
    actNow,
    act: async (numRows, deterministic) => actNow(numRows, deterministic),
  };
}

/** Acts with a learner's engine, which holds the weights. */
export function createCentralBatchActor(
  policy: CentralPolicy,
  spec: ActingSpec,
  maxRows: number,
): BatchActor {
  const A = actionSize(spec.distribution);
  const isDiscrete = actionDtype(spec.distribution) === 'int32';
  const observationCount = maxRows * spec.observationSize;
  const observations =
    spec.observationDtype === 'uint8' ? new Uint8Array(observationCount) : new Float32Array(observationCount);
  const masks = spec.actionMaskSize > 0 ? new Uint8Array(maxRows * spec.actionMaskSize) : null;
  const noise = new Float32Array(maxRows * noiseSize(spec));
  const actions = isDiscrete ? new Int32Array(maxRows * A) : new Float32Array(maxRows * A);
  const logProbs = new Float32Array(maxRows);
  const values = new Float32Array(maxRows);
  const states = new Float32Array(0);
  const act = (numRows: number, deterministic: boolean) =>
    policy.act({ numRows, observations, masks, noise, deterministic, actions, logProbs, values });
  return { maxRows, observations, masks, noise, states, actions, act, forget: () => undefined };
}

interface RowAddresses {
  readonly observations: number;
  readonly masks: number;
  readonly noise: number;
  readonly actions: number;
  readonly states: number;
}

function reserveRows(
  reserve: (bytes: number) => { offset: number },
  spec: ActingSpec,
  maxRows: number,
): RowAddresses {
  const elementBytes = spec.observationDtype === 'uint8' ? 1 : 4;
  return {
    observations: reserve(maxRows * spec.observationSize * elementBytes).offset,
    masks: reserve(maxRows * spec.actionMaskSize).offset,
    noise: reserve(maxRows * noiseSize(spec) * 4).offset,
    actions: reserve(maxRows * actionSize(spec.distribution) * 4).offset,
    states: reserve((maxRows + 4) * recurrentStateSize(spec) * 4).offset, // kernels read rows in fours
  };
}

function openRows({ buffer }: Arena, spec: ActingSpec, maxRows: number, addresses: RowAddresses) {
  const observationCount = maxRows * spec.observationSize;
  const actionCount = maxRows * actionSize(spec.distribution);
  return {
    maxRows,
    observations:
      spec.observationDtype === 'uint8'
        ? new Uint8Array(buffer, addresses.observations, observationCount)
        : new Float32Array(buffer, addresses.observations, observationCount),
    masks:
      spec.actionMaskSize > 0 ? new Uint8Array(buffer, addresses.masks, maxRows * spec.actionMaskSize) : null,
    noise: new Float32Array(buffer, addresses.noise, maxRows * noiseSize(spec)),
    actions:
      actionDtype(spec.distribution) === 'int32'
        ? new Int32Array(buffer, addresses.actions, actionCount)
        : new Float32Array(buffer, addresses.actions, actionCount),
  };
}
