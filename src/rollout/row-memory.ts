/** What recurrent policies remember of each row's episode, while it is collected. */
import { hasColumn, type RolloutViews } from '../experience/layout.ts';
import { eachStateOfStep } from '../experience/sequence-states.ts';
import { recurrentStateSize } from '../policy/networks/recurrent-state.ts';
import type { ActingSpec } from '../policy/policy-spec.ts';
import type { SamplingLayout } from './sampling-layout.ts';

/** Rows r = 0 .. numRows - 1 of one sampler. The policy moves the states on; an episode's first step finds zeros. */
export interface RowMemory {
  /** Elements of a row's state. */
  readonly size: number;
  /** Before step t is acted for: where a sequence or its burn-in begins, the rollout gets the states. */
  record(rollout: RolloutViews, t: number): void;
  /** The same for row r alone. */
  recordRow(rollout: RolloutViews, t: number, r: number): void;
  /** After step T - 1: what the next rollout begins with. */
  finish(rollout: RolloutViews): void;
  /** Row r's episode has ended. */
  forget(r: number): void;
  /** @param state f32 [size]; null = zeros. */
  restore(r: number, state: Float32Array | null): void;
}

/** @returns null for a policy that remembers nothing. */
export function createRowMemory(
  spec: ActingSpec,
  buffer: ArrayBufferLike,
  layout: SamplingLayout,
  firstRow: number,
  numRows: number,
): RowMemory | null {
  const size = recurrentStateSize(spec);
  if (size === 0) return null;
  const states = new Float32Array(buffer, layout.recurrentStates + 4 * firstRow * size, numRows * size); // [rows, size] f32
  const keepsSequences = hasColumn(layout.rollout, 'recurrentStates');
  const copyRow = (r: number, target: Float32Array, slot: number) => {
    const [from, to] = [r * size, slot * size];
    for (let k = 0; k < size; k++) target[to + k] = states[from + k];
  };
  const record = (rollout: RolloutViews, t: number, first: number, end: number) => {
    if (!keepsSequences) return;
    const { recurrentStates, numRows: N, rolloutLength, burnIn } = rollout;
    const numSequences = recurrentStates.length / (N * size); // of a row
    eachStateOfStep(t, { length: rolloutLength / numSequences, burnIn, numSequences }, (s) => {
      for (let r = first; r < end; r++) copyRow(r, recurrentStates, (firstRow + r) * numSequences + s);
    });
  };
  return {
    size,
    record: (rollout, t) => record(rollout, t, 0, numRows),
    recordRow: (rollout, t, r) => record(rollout, t, r, r + 1),
    finish(rollout) {
      for (let r = 0; r < numRows; r++) copyRow(r, rollout.lastRecurrentStates, firstRow + r);
    },
    forget: (r) => void states.fill(0, r * size, (r + 1) * size),
    restore(r, state) {
      if (state === null) states.fill(0, r * size, (r + 1) * size);
      else states.set(state, r * size);
    },
  };
}
