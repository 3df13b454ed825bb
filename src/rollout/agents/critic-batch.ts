/** A central critic on the kernels: values of rows from what it reads of the whole environment. */
import type { Arena, Region } from '../../memory/arena.ts';
import type { ValuesCall } from '../../policy/row-policy.ts';
import type { Kernels } from '../../simd/kernel-exports.ts';
import { createKernelPolicy, kernelPolicyScratchBytes } from '../../simd/kernel-policy.ts';
import { openWeightBuffer } from '../../weights/weight-buffer.ts';
import type { CriticPlan } from './policy-plan.ts';

export interface CriticBatch {
  /** The caller's to fill. B = maxRows, Z = elements of a row's input. */
  readonly inputs: Float32Array; // [B, Z] f32
  /** Weights that were published with this version. */
  useVersion(version: number): void;
  /** Values of batch rows [0, count), f32 at `valueAddress` of the arena, one behind the other. */
  evaluate(count: number, valueAddress: number): void;
}

const padded = (bytes: number) => Math.ceil(bytes / 64) * 64;

/** Bytes of one worker's arena scratch that {@link createCriticBatch} takes. */
export function criticBatchBytes({ spec }: Pick<CriticPlan, 'spec'>, maxRows: number): number {
  return padded(kernelPolicyScratchBytes(spec, maxRows)) + padded(4 * maxRows * spec.observationSize);
}

/**
 * @param scratch {@link criticBatchBytes} of the arena, owned by this batch.
 * Thread: one each; nothing allocates per call.
 */
export function createCriticBatch(
  kernels: Kernels,
  arena: Arena,
  { spec, weights }: CriticPlan,
  scratch: Region,
  maxRows: number,
): CriticBatch {
  const policyBytes = kernelPolicyScratchBytes(spec, maxRows);
  const policyScratch = { offset: scratch.offset, byteLength: policyBytes };
  const policy = createKernelPolicy(kernels, spec, arena, policyScratch, weights);
  const published = openWeightBuffer(arena.buffer, weights);
  const inputAddress = scratch.offset + padded(policyBytes);
  const call: ValuesCall = {
    numRows: 0,
    weightsAddress: 0,
    observationAddress: inputAddress,
    observationStride: spec.observationSize,
    valueAddress: 0,
    valueStride: 1,
    maskAddress: 0,
    maskStride: 0,
  };
  return {
    inputs: new Float32Array(arena.buffer, inputAddress, maxRows * spec.observationSize),
    useVersion(version) {
      call.weightsAddress = published.slotAddress(version);
    },
    evaluate(count, valueAddress) {
      call.numRows = count;
      call.valueAddress = valueAddress;
      policy.values(call);
    },
  };
}
