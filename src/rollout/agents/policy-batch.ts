/** A policy that acts for some rows at a time: those whose turn it is. */
import { createActionMapping } from '../../acting/action-mapping.ts';
import { createActionNoise } from '../../acting/noise.ts';
import type { ActionArray, ObservationArray } from '../../env/vector-env.ts';
import type { Arena, Region } from '../../memory/arena.ts';
import { type ActingSpec, actionDtype, actionSize, noiseSize } from '../../policy/policy-spec.ts';
import type { ActCall, ValuesCall } from '../../policy/row-policy.ts';
import type { Kernels } from '../../simd/kernel-exports.ts';
import { createKernelPolicy, kernelPolicyScratchBytes } from '../../simd/kernel-policy.ts';
import { openWeightBuffer, type WeightBufferLayout } from '../../weights/weight-buffer.ts';
import type { CriticBatch } from './critic-batch.ts';

/** The arrays are the caller's to fill and read between calls. B = maxRows. */
export interface PolicyBatch {
  readonly observations: ObservationArray; // [B, obsSize]
  readonly masks: Uint8Array | null; // [B, maskSize] u8
  /** What a central critic reads; null = there is none. */
  readonly criticInputs: Float32Array | null; // [B, Z] f32
  readonly actions: ActionArray; // [B, A], as they are stored
  readonly logProbs: Float32Array; // [B] f32
  readonly values: Float32Array; // [B] f32
  /** Whether `values` means anything: a network's, and nobody else's. */
  readonly hasValues: boolean;
  /** Weights that were published with this version. */
  useVersion(version: number): void;
  /** Begins the random numbers of a row's life; `numActs` > 0 skips those of its first actions. */
  beginLife(row: number, seed: number, numActs: number): void;
  /** Acts for batch rows [0, count), which are the rows `rows[k]` of the runner. */
  act(rows: Int32Array, count: number, deterministic: boolean): void;
  /** Values of batch rows [0, count) into `values`. */
  evaluate(count: number): void;
  /** Writes batch row k's action as the environment gets it. */
  mapAction(k: number, out: Float32Array, outOffset: number): void;
}

export interface BatchSizes {
  /** Rows of the runner. */
  readonly numRows: number;
  /** Rows of one call. */
  readonly maxRows: number;
}

/** Bytes of one worker's arena scratch that {@link createNetworkBatch} takes. */
export function networkBatchBytes(spec: ActingSpec, maxRows: number): number {
  const parts = [kernelPolicyScratchBytes(spec, maxRows), ...Object.values(rowBytes(spec, maxRows))];
  return parts.reduce((sum, bytes) => sum + Math.ceil(bytes / 64) * 64, 0);
}

function rowBytes(spec: ActingSpec, maxRows: number) {
  return {
    observations: maxRows * spec.observationSize * (spec.observationDtype === 'uint8' ? 1 : 4),
    masks: maxRows * spec.actionMaskSize,
    noise: maxRows * noiseSize(spec) * 4,
    actions: maxRows * actionSize(spec.distribution) * 4,
    logProbs: maxRows * 4,
    values: maxRows * 4,
  };
}

export interface NetworkBatchParts {
  readonly kernels: Kernels;
  readonly arena: Arena;
  readonly spec: ActingSpec;
  readonly weights: WeightBufferLayout;
  /** {@link networkBatchBytes} of the arena, owned by this batch. */
  readonly scratch: Region;
  readonly sizes: BatchSizes;
  /** null = values are the policy's own, where it has a value head. */
  readonly critic: CriticBatch | null;
  /** Whether anybody asks for values. */
  readonly wantsValues: boolean;
}

/** Batches that act with one network's scratch, each with weights of its own that keep their place. */
export function createPastBatch(network: NetworkBatch, weightsAddress: number): PolicyBatch {
  return {
    ...network,
    hasValues: false,
    useVersion: () => undefined,
    act(rows, count, deterministic) {
      network.useWeights(weightsAddress);
      network.act(rows, count, deterministic);
    },
    evaluate: () => undefined,
  };
}

export type NetworkBatch = PolicyBatch & { useWeights(address: number): void };

/** A network on the kernels. Thread: one each; nothing allocates per call. A row's result does not depend on the rows beside it. */
export function createNetworkBatch({
  kernels,
  arena,
  spec,
  weights,
  scratch,
  sizes,
  critic,
  wantsValues,
}: NetworkBatchParts): NetworkBatch {
  const { maxRows, numRows } = sizes;
  const bytes = rowBytes(spec, maxRows);
  let end = scratch.offset;
  const take = (length: number): number => {
    const address = end;
    end += Math.ceil(length / 64) * 64;
    return address;
  };
  const policyBytes = kernelPolicyScratchBytes(spec, maxRows);
  const policyScratch = { offset: take(policyBytes), byteLength: policyBytes };
  const at = {
    observations: take(bytes.observations),
    masks: take(bytes.masks),
    noise: take(bytes.noise),
    actions: take(bytes.actions),
    logProbs: take(bytes.logProbs),
    values: take(bytes.values),
  };
  const policy = createKernelPolicy(kernels, spec, arena, policyScratch, weights);
  const published = openWeightBuffer(arena.buffer, weights);
  const hasOwn = wantsValues && critic === null && tellsValues(spec);
  const calls = createCalls(spec, at, hasOwn);
  const size = noiseSize(spec);
  const rowNoise = new Float32Array(numRows * size); // [numRows, noiseSize] f32
  const noise = createActionNoise(spec, numRows, rowNoise);
  const batchNoise = new Float32Array(arena.buffer, at.noise, maxRows * size); // [B, noiseSize] f32
  const arrays = openArrays(arena, spec, maxRows, at);
  const mapStored = createActionMapping(spec);
  const A = actionSize(spec.distribution);
  return {
    ...arrays,
    criticInputs: critic?.inputs ?? null,
    hasValues: critic !== null || hasOwn,
    useWeights(address) {
      calls.act.weightsAddress = address;
    },
    useVersion(version) {
      critic?.useVersion(version);
      calls.act.weightsAddress = published.slotAddress(version);
      calls.values.weightsAddress = published.slotAddress(version);
    },
    beginLife: (row, seed, numActs) => noise.begin(row, seed, numActs),
    act(rows, count, deterministic) {
      for (let k = 0; k < count && !deterministic; k++) {
        noise.fill(rows[k]);
        for (let j = 0; j < size; j++) batchNoise[k * size + j] = rowNoise[rows[k] * size + j];
      }
      calls.act.numRows = count;
      calls.act.deterministic = deterministic;
      policy.act(calls.act);
      critic?.evaluate(count, at.values);
    },
    evaluate(count) {
      if (critic !== null) {
        critic.evaluate(count, at.values);
        return;
      }
      calls.values.numRows = count;
      policy.values(calls.values);
    },
    mapAction: (k, out, outOffset) => mapStored(arrays.actions, k * A, out, outOffset),
  };
}

/** By a value head, or as the largest Q. */
function tellsValues({ actorOnly, distribution }: ActingSpec): boolean {
  return actorOnly !== true || distribution.kind === 'epsilon-greedy';
}

type Addresses = Readonly<
  Record<'observations' | 'masks' | 'noise' | 'actions' | 'logProbs' | 'values', number>
>;

function openArrays({ buffer }: Arena, spec: ActingSpec, maxRows: number, at: Addresses) {
  const numObserved = maxRows * spec.observationSize;
  const numActions = maxRows * actionSize(spec.distribution);
  return {
    observations:
      spec.observationDtype === 'uint8'
        ? new Uint8Array(buffer, at.observations, numObserved)
        : new Float32Array(buffer, at.observations, numObserved),
    masks: spec.actionMaskSize > 0 ? new Uint8Array(buffer, at.masks, maxRows * spec.actionMaskSize) : null,
    actions:
      actionDtype(spec.distribution) === 'int32'
        ? new Int32Array(buffer, at.actions, numActions)
        : new Float32Array(buffer, at.actions, numActions),
    logProbs: new Float32Array(buffer, at.logProbs, maxRows),
    values: new Float32Array(buffer, at.values, maxRows),
  };
}

function createCalls(
  spec: ActingSpec,
  at: Addresses,
  hasValues: boolean,
): { readonly act: ActCall; readonly values: ValuesCall } {
  const masks = spec.actionMaskSize > 0 ? at.masks : 0;
  const rows = {
    numRows: 0,
    weightsAddress: 0,
    observationAddress: at.observations,
    observationStride: spec.observationSize,
    maskAddress: masks,
    maskStride: spec.actionMaskSize,
    valueAddress: hasValues ? at.values : 0,
  };
  return {
    act: {
      ...rows,
      noiseAddress: at.noise,
      deterministic: false,
      actionAddress: at.actions,
      actionStride: actionSize(spec.distribution),
      logProbAddress: at.logProbs,
      scalarStride: 1,
    },
    values: { ...rows, valueStride: 1 },
  };
}
