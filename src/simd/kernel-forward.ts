/** The network of a policy by itself: raw observations to distribution parameters, for actions that were taken elsewhere. */
import type { Arena, Region } from '../memory/arena.ts';
import { type ActingSpec, distributionSize } from '../policy/policy-spec.ts';
import type { WeightBufferLayout } from '../weights/weight-buffer.ts';
import type { Kernels } from './kernel-exports.ts';
import { fitScratch, writeDescriptor } from './kernel-policy.ts';
import { policyLayers } from './layer-program.ts';
import { createCellSteps } from './recurrent-policy.ts';

export interface KernelForward {
  /** Rows of a call at most. */
  readonly maxRows: number;
  /** [maxRows, P] f32, dense; after `run`. */
  readonly outputs: Float32Array;
  /** The actor's last hidden layer: row r at r * latentStride; after `run`. */
  readonly latent: Float32Array;
  readonly latentStride: number;
  /** The part of published weights that is the logarithm of deviations; empty where there is none. */
  logStdOf(weightsAddress: number): Float32Array;
  /**
   * @param weightsAddress published weights (weights/weight-buffer.ts), byte address in the arena.
   * @param observationAddress of `numRows` observations, `observationStride` elements apart: as a rule one behind the other.
   * @param stateAddress of a recurrent policy's states, f32 [numRows, S], dense, four rows more to be read: the actor's part moves on.
   */
  run(
    weightsAddress: number,
    observationAddress: number,
    numRows: number,
    observationStride?: number,
    stateAddress?: number,
  ): void;
}

/** Words of a call that packing reads. */
const Word = { NUM_ROWS: 0, WEIGHTS: 1, OBSERVATIONS: 2, OBSERVATION_STRIDE: 3 } as const;

/**
 * @param scratch `kernelPolicyScratchBytes` of the arena, owned by this network.
 * Thread: any, one each. A row's result is that of the policy which acts, to the bit.
 */
export function createKernelForward(
  kernels: Kernels,
  spec: ActingSpec,
  { buffer }: Arena,
  scratch: Region,
  weightLayout: WeightBufferLayout,
): KernelForward {
  const plan = fitScratch(spec, scratch);
  const program = writeDescriptor(buffer, spec, weightLayout, plan);
  const { descriptor, blockRows, latent } = program;
  const words = new Int32Array(buffer, descriptor, 4);
  const logStdElements = policyLayers(spec).logStd.size;
  const P = distributionSize(spec.distribution);
  const cells =
    plan.cell === null ? null : createCellSteps(kernels, spec, buffer, { ...plan, cell: plan.cell });
  return {
    maxRows: blockRows,
    outputs: new Float32Array(buffer, program.outputs.address, blockRows * P),
    latent: new Float32Array(buffer, latent.address, (blockRows * latent.stride) / 4),
    latentStride: latent.stride / 4,
    logStdOf: (address) => new Float32Array(buffer, address + program.logStdOffset, logStdElements),
    run(
      weightsAddress,
      observationAddress,
      numRows,
      observationStride = spec.observationSize,
      stateAddress = 0,
    ) {
      words[Word.NUM_ROWS] = numRows;
      words[Word.WEIGHTS] = weightsAddress;
      words[Word.OBSERVATIONS] = observationAddress;
      words[Word.OBSERVATION_STRIDE] = observationStride;
      kernels.packObservations(descriptor, 0, numRows);
      cells?.run(0, stateAddress, weightsAddress, numRows, true);
      kernels.forward(program.program, program.numLayers, weightsAddress, numRows);
    },
  };
}
