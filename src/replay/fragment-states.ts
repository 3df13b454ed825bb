/** What a recurrent policy remembered where fragments began: the states from which stored sequences go on. */
import type { NamedTensor } from '../checkpoint/content.ts';
import type { StatePart } from '../checkpoint/state-part.ts';
import { readTensor } from '../checkpoint/tensor-rules.ts';
import { CheckpointError } from '../errors.ts';
import { allocateShared } from './frame-store.ts';
import { firstPosition, type Ring } from './ring.ts';

const FILE = 'replay-states.safetensors';
const DESCRIPTION = 'replay-states.json';

/**
 * All rows of a ring are written together, `fragmentLength` = T steps at a time, so fragment f began at position `numFrames - 1 + f T` of every row, and
 * its states lie in slot f % M of [R, M, S]. What is alive follows from the ring.
 */
export interface FragmentStates {
  /** T: sequences begin at every T-th step. */
  readonly fragmentLength: number;
  /** Before the fragment is appended to the ring. @param states f32 [R, S], of its first step. */
  append(states: Float32Array): void;
  /** Positions at which a sequence can begin that goes on for `numSteps` steps: `first`, and so many in all, T apart. */
  beginnings(numSteps: number): { readonly first: number; readonly count: number };
  /** M: fragments that are kept of a row. */
  readonly numSlots: number;
  /** Number of the fragment that begins at such a position, and the position of a fragment's number. */
  fragmentAt(position: number): number;
  positionOf(fragment: number): number;
  /** Copies the state of a row at such a position. */
  read(row: number, position: number, out: Float32Array, at: number): void;
  /** Written whole in every checkpoint: 4 R M S bytes. @param isSaved as the ring is; else a resume begins with none. */
  statePart(isSaved: boolean): StatePart;
}

/** Memory: S numbers for T steps. */
export function createFragmentStates(ring: Ring, fragmentLength: number, stateSize: number): FragmentStates {
  const { numRows, rowCapacity, numFrames } = ring.plan;
  const numSlots = Math.ceil(rowCapacity / fragmentLength) + 1;
  const states = new Float32Array(allocateShared(4 * numRows * numSlots * stateSize)); // [R, M, S]
  const origin = numFrames - 1;
  const placeOf = (row: number, position: number) =>
    (row * numSlots + (((position - origin) / fragmentLength) % numSlots)) * stateSize;
  const shape = [numRows, numSlots, stateSize];
  return {
    ...{ fragmentLength, numSlots },
    fragmentAt: (position) => (position - origin) / fragmentLength,
    positionOf: (fragment) => origin + fragment * fragmentLength,
    append(given) {
      for (let row = 0; row < numRows; row++) {
        const to = placeOf(row, ring.end);
        for (let k = 0; k < stateSize; k++) states[to + k] = given[row * stateSize + k];
      }
    },
    beginnings(numSteps) {
      const first = origin + Math.ceil((firstPosition(ring) - origin) / fragmentLength) * fragmentLength;
      const count = Math.floor((ring.end - numSteps - first) / fragmentLength) + 1;
      return { first, count: Math.max(0, count) };
    },
    read(row, position, out, at) {
      const from = placeOf(row, position);
      for (let k = 0; k < stateSize; k++) out[at + k] = states[from + k];
    },
    statePart: (isSaved) => ({
      name: 'replayStates',
      files: [],
      getState() {
        if (!isSaved) return {};
        const tensor: NamedTensor = { dtype: 'float32', shape, data: states.slice() };
        return { tensors: { [FILE]: { states: tensor } }, json: { [DESCRIPTION]: { fragmentLength } } };
      },
      readState({ tensors, json }) {
        if (!isSaved) return () => void states.fill(0);
        if (json[DESCRIPTION]?.fragmentLength !== fragmentLength) throw otherLength(fragmentLength);
        const { data } = readTensor(tensors[FILE] ?? {}, FILE, 'states', {
          dtype: 'float32',
          shape,
          values: 'finite',
        });
        return () => states.set(data as Float32Array);
      },
    }),
  };
}

function otherLength(fragmentLength: number): CheckpointError {
  return new CheckpointError(
    'CHECKPOINT_MISMATCH',
    `The checkpoint's replay buffer keeps the recurrent state of other steps than every ${fragmentLength}th: trainEvery was another. Resume with that, or start a new run.`,
  );
}
