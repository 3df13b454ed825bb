/** The cells of a recurrent policy by themselves: what it remembers, moved on by observations that were seen elsewhere. */
import type { Arena, Region } from '../memory/arena.ts';
import { recurrentStateSize } from '../policy/networks/recurrent-state.ts';
import type { ActingSpec } from '../policy/policy-spec.ts';
import type { WeightBufferLayout } from '../weights/weight-buffer.ts';
import type { Kernels } from './kernel-exports.ts';
import { fitScratch, writeDescriptor } from './kernel-policy.ts';
import { createCellSteps } from './recurrent-policy.ts';

/** All addresses are bytes in the arena; strides are in elements. */
export interface StatesCall {
  readonly weightsAddress: number;
  readonly observationAddress: number;
  readonly observationStride: number;
  /** f32 [numRows, S], dense, four rows more to be read; moved on. */
  readonly stateAddress: number;
  readonly numRows: number;
}

/** Words of a call that packing reads. */
const Word = { NUM_ROWS: 0, WEIGHTS: 1, OBSERVATIONS: 2, OBSERVATION_STRIDE: 3 } as const;

/**
 * @param scratch `kernelPolicyScratchBytes` of the arena, its own.
 * @returns one step of all cells. A row's state is that of the policy which acts, to the bit.
 * @throws TypeError for a policy without a cell. Thread: any, one each.
 */
export function createKernelStates(
  kernels: Kernels,
  spec: ActingSpec,
  { buffer }: Arena,
  scratch: Region,
  weightLayout: WeightBufferLayout,
): (call: StatesCall) => void {
  const plan = fitScratch(spec, scratch);
  const { descriptor, blockRows } = writeDescriptor(buffer, spec, weightLayout, plan);
  if (plan.cell === null)
    throw new TypeError(`Expected a recurrent network, got one of kind ${spec.network.kind}.`);
  const cells = createCellSteps(kernels, spec, buffer, { ...plan, cell: plan.cell });
  const words = new Uint32Array(buffer, descriptor, 4);
  const stateBytes = 4 * recurrentStateSize(spec);
  return ({ weightsAddress, observationAddress, observationStride, stateAddress, numRows }) => {
    words[Word.NUM_ROWS] = numRows;
    words[Word.WEIGHTS] = weightsAddress;
    words[Word.OBSERVATIONS] = observationAddress;
    words[Word.OBSERVATION_STRIDE] = observationStride;
    for (let first = 0; first < numRows; first += blockRows) {
      const count = Math.min(blockRows, numRows - first);
      kernels.packObservations(descriptor, first, count);
      for (let k = 0; k <= cells.critic; k++)
        cells.run(k, stateAddress + first * stateBytes, weightsAddress, count, true);
    }
  };
}
