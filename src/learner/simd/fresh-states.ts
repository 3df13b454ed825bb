/** States at the beginning of a rollout's sequences, computed anew by other weights than those that collected it. */
import type { RolloutViews } from '../../experience/layout.ts';
import { eachStateOfStep } from '../../experience/sequence-states.ts';
import { recurrentStateSize } from '../../policy/networks/recurrent-state.ts';
import type { PolicySpec } from '../../policy/policy-spec.ts';
import { kernelPolicyScratchBytes } from '../../simd/kernel-policy.ts';
import { createKernelStates } from '../../simd/kernel-states.ts';
import { instantiateKernels } from '../../simd/kernels.ts';
import type { RolloutScorerParts } from './score-kernels.ts';

/** Kernels read rows in fours. */
const SPARE_ROWS = 4;

const kernelBytes = (spec: PolicySpec, numRows: number) =>
  64 * Math.ceil(kernelPolicyScratchBytes(spec, numRows) / 64);

/** Bytes of scratch of {@link createFreshStates}. */
export function freshStatesBytes(spec: PolicySpec, numRows: number): number {
  return kernelBytes(spec, numRows) + 4 * (numRows + SPARE_ROWS) * recurrentStateSize(spec);
}

/**
 * Makes the function that overwrites `recurrentStates` of a rollout: each row goes through its observations from the state that its first sequence
 * began with, and anew where an episode ended. That first state stays as it was collected: what came before it is not there any more.
 *
 * @returns a function of the rollout and of published weights (or a slot like them), byte address in the arena. It allocates nothing a row.
 * Thread: main. Cost: the cells' part of acting once more.
 */
export function createFreshStates(
  { arena, kernels, spec, weightLayout, scratch }: RolloutScorerParts,
  numRows: number,
): (rollout: RolloutViews, weightsAddress: number) => void {
  const step = createKernelStates(
    instantiateKernels(kernels, arena.memory),
    spec,
    arena,
    { offset: scratch.offset, byteLength: kernelBytes(spec, numRows) },
    weightLayout,
  );
  const S = recurrentStateSize(spec);
  const stateAddress = scratch.offset + kernelBytes(spec, numRows);
  const states = new Float32Array(arena.buffer, stateAddress, numRows * S); // [N, S] f32
  const size = spec.observationSize;
  const rowBytes = size * (spec.observationDtype === 'uint8' ? 1 : 4);
  return (
    { observations, recurrentStates, terminated, truncated, rolloutLength: T, burnIn },
    weightsAddress,
  ) => {
    const perRow = recurrentStates.length / (numRows * S); // sequences
    const length = T / perRow;
    const sequences = { length, burnIn, numSequences: perRow };
    const copyRow = (from: Float32Array, at: number, to: Float32Array, slot: number) =>
      to.set(from.subarray(at * S, (at + 1) * S), slot * S);
    for (let n = 0; n < numRows; n++) {
      copyRow(recurrentStates, n * perRow, states, n);
      eachStateOfStep(0, sequences, (s) => copyRow(states, n, recurrentStates, n * perRow + s));
    }
    for (let t = 0; t < T - length; t++) {
      const observationAddress = observations.byteOffset + t * rowBytes;
      step({ weightsAddress, observationAddress, observationStride: T * size, stateAddress, numRows });
      for (let n = 0; n < numRows; n++) {
        const i = n * T + t;
        if (terminated[i] !== 0 || truncated[i] !== 0) states.fill(0, n * S, (n + 1) * S);
        eachStateOfStep(t + 1, sequences, (s) => copyRow(states, n, recurrentStates, n * perRow + s));
      }
    }
  };
}
