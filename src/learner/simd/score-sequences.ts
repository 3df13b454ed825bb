/** Judging a rollout of a recurrent policy: sequences side by side, step by step, each from the state that it was collected with. */
import type { RolloutViews } from '../../experience/layout.ts';
import type { Arena } from '../../memory/arena.ts';
import { recurrentStateSize } from '../../policy/networks/recurrent-state.ts';
import type { PolicySpec } from '../../policy/policy-spec.ts';
import type { RolloutScorer, ScoreKernels } from './score-kernels.ts';

/** Kernels read rows in fours. */
const SPARE_ROWS = 4;

/** Bytes of the states that {@link createSequenceScorer} moves. */
export function sequenceStatesBytes(spec: PolicySpec, numSequences: number): number {
  return 4 * (numSequences + SPARE_ROWS) * recurrentStateSize(spec);
}

/**
 * What a learner would find: sequence s covers the flat indices s * L + t, begins with `recurrentStates[s]` and anew after an end. States come from
 * the weights that acted, and the steps after them from the ones that judge, as in a gradient; of a burn-in, too, which such a sequence begins with.
 *
 * @param address {@link sequenceStatesBytes} of the arena.
 */
export function createSequenceScorer(
  spec: PolicySpec,
  kernels: ScoreKernels,
  arena: Arena,
  address: number,
): RolloutScorer {
  const { forward, policy, call, maxRows } = kernels;
  const S = recurrentStateSize(spec);
  const size = spec.observationSize;
  const rowBytes = size * (spec.observationDtype === 'uint8' ? 1 : 4);
  const statesOf = ({ recurrentStates }: RolloutViews) => {
    const states = new Float32Array(arena.buffer, address, recurrentStates.length); // [sequences, S] f32
    states.set(recurrentStates);
    return states;
  };
  return {
    logProbs(rollout, weightsAddress, out) {
      const { byteOffset } = rollout.observations;
      const step: SequenceStep = (t, begin, numSequences, length) => {
        for (let s = begin; s < numSequences; s += maxRows) {
          const count = Math.min(maxRows, numSequences - s);
          const first = s * length + t;
          forward.run(
            weightsAddress,
            byteOffset + first * rowBytes,
            count,
            length * size,
            address + 4 * s * S,
          );
          if (t >= 0) kernels.readLogProbs(rollout, weightsAddress, { first, step: length, count }, out);
        }
      };
      walkSequences(rollout, statesOf(rollout), S, step, () => undefined);
    },
    values(rollout, weightsAddress) {
      const { observations, values, terminated, bootstrapObservations, bootstrapValues, numRows } = rollout;
      call.weightsAddress = weightsAddress;
      const step: SequenceStep = (t, begin, numSequences, length) => {
        const first = begin * length + t; // in a burn-in a value of the sequence before, which is computed after it
        call.numRows = numSequences - begin;
        call.observationAddress = observations.byteOffset + first * rowBytes;
        call.observationStride = length * size;
        call.valueAddress = values.byteOffset + 4 * first;
        call.valueStride = length;
        call.stateAddress = address + 4 * begin * S;
        call.movesState = true;
        policy.values(call);
      };
      const states = statesOf(rollout);
      walkSequences(rollout, states, S, step, (i, s) => {
        if (terminated[i] === 0) kernels.finalValue(rollout, i, address + 4 * s * S);
      });
      const perRow = states.length / S / numRows; // sequences
      for (let n = 0; n < numRows; n++) {
        const last = ((n + 1) * perRow - 1) * S;
        states.copyWithin(n * S, last, last + S);
      }
      call.numRows = numRows;
      call.observationAddress = bootstrapObservations.byteOffset;
      call.observationStride = size;
      call.valueAddress = bootstrapValues.byteOffset;
      call.valueStride = 1;
      call.stateAddress = address;
      call.movesState = false;
      policy.values(call);
    },
  };
}

/** Step t of the sequences from `begin` on; negative in a burn-in. */
type SequenceStep = (t: number, begin: number, numSequences: number, length: number) => void;

/**
 * Calls `step` for t = -B .. L - 1, `end` for each sequence s whose episode ended at i = s * L + t, t >= 0, and clears the state of that.
 *
 * @param states f32 [sequences, S]; the steps move them.
 */
function walkSequences(
  { terminated, truncated, recurrentStates, burnIn, numRows }: RolloutViews,
  states: Float32Array,
  stateSize: number,
  step: SequenceStep,
  end: (i: number, s: number) => void,
): void {
  const numSequences = states.length / stateSize;
  const length = terminated.length / numSequences;
  const perRow = numSequences / numRows;
  const walk = (t: number, begin: number) => {
    step(t, begin, numSequences, length);
    for (let s = begin; s < numSequences; s++) {
      const i = s * length + t;
      if (terminated[i] === 0 && truncated[i] === 0) continue;
      if (t >= 0) end(i, s);
      states.fill(0, s * stateSize, (s + 1) * stateSize);
    }
  };
  if (perRow > 1) for (let t = -burnIn; t < 0; t++) walk(t, 1);
  for (let s = 0; burnIn > 0 && s < numSequences; s += perRow) {
    // a row's first sequence has nothing before it
    states.set(recurrentStates.subarray(s * stateSize, (s + 1) * stateSize), s * stateSize);
  }
  for (let t = 0; t < length; t++) walk(t, 0);
}
