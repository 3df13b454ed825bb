/** A replay buffer whose rows go on by themselves, each at its own pace: a ring for each, made when its first steps come. */
import type { Stream } from '../random/streams.ts';
import type { ReplayFragment } from './append.ts';
import type { Gather } from './gather.ts';
import { checkBatch, createReplay, type Replay } from './replay.ts';
import { planReplay, type ReplayPlan, type ReplaySpec } from './replay-spec.ts';

/**
 * Agents act when it is their turn, so a row has as many steps as it took itself, and no holes. A transition is named by
 * `row * rowSlots + its slot`, as `sample` draws it.
 */
export interface RowRings {
  /** Of one row. */
  readonly plan: ReplayPlan;
  readonly numRows: number; // R
  /** Transitions that are kept, over all rows. */
  readonly size: number;
  /** The largest size it can have. */
  readonly capacity: number;
  /** Appends the next steps of one row. @throws ShapeError as `appendFragment`. */
  append(row: number, fragment: ReplayFragment): void;
  /** As `Replay.numSampleable`. */
  numSampleable(numSteps: number): number;
  /**
   * Draws transitions uniformly, with replacement, so rows in proportion to what they hold. Where all rows hold the same, the draws are those of
   * `sampleUniform`.
   *
   * @param indices i32 [B], receives names. @throws ConfigError `CONFIG_REPLAY_BATCH`.
   */
  sample(numSteps: number, stream: Stream, indices: Int32Array): void;
  readonly gather: Gather;
  /** null = the row has taken no step: it costs nothing. */
  readonly rings: readonly (Replay | null)[]; // [R]
  /** The ring of a row, made where there is none. */
  ringOf(row: number): Replay;
  /** Forgets everything. */
  clear(): void;
}

/** The spec as the memory that it takes follows from it: rows are saved whole, so they need no room for segments. */
export function rowRingsSpec(spec: ReplaySpec): ReplaySpec {
  return { ...spec, segmentSteps: 1 };
}

/**
 * @param spec its capacity is divided evenly among `numRows` rows.
 * @throws ConfigError as planReplay. Thread: the one that appends and samples. Cost of a batch: O(R) and what `createGather` says.
 */
export function createRowRings(spec: ReplaySpec): RowRings {
  const whole = rowRingsSpec(spec);
  const { rowCapacity, numRows } = planReplay(whole);
  const { bytes: _bytes, ...sizes } = whole;
  const rowSpec: ReplaySpec = { ...sizes, numRows: 1, capacity: rowCapacity };
  const plan = planReplay(rowSpec);
  const { rowSlots } = plan;
  const rings: (Replay | null)[] = new Array<null>(numRows).fill(null);
  const one = new Int32Array(1);
  const ends = new Float64Array(numRows); // [R] transitions that can be sampled of the rows up to each one
  const sum = (of: (ring: Replay) => number) =>
    rings.reduce((total, ring) => total + (ring === null ? 0 : of(ring)), 0);
  const ringOf = (row: number): Replay => {
    rings[row] ??= createReplay(rowSpec);
    return rings[row] as Replay;
  };
  const self: RowRings = {
    ...{ plan, numRows, rings, ringOf },
    capacity: rowCapacity * numRows,
    get size() {
      return sum(({ size }) => size);
    },
    append: (row, fragment) => ringOf(row).append(fragment),
    numSampleable: (numSteps) => sum((ring) => ring.numSampleable(numSteps)),
    sample(numSteps, stream, indices) {
      checkBatch(self, numSteps, indices.length);
      let total = 0;
      for (let row = 0; row < numRows; row++) {
        total += rings[row]?.numSampleable(numSteps) ?? 0;
        ends[row] = total;
      }
      for (let b = 0; b < indices.length; b++) {
        const drawn = stream.integer(total);
        const row = firstAbove(ends, drawn);
        const { ring, size } = rings[row] as Replay;
        const position = ring.end - size + drawn - (row === 0 ? 0 : ends[row - 1]);
        indices[b] = row * rowSlots + (position % rowSlots);
      }
    },
    gather(indices, numSteps, gamma, batch, first = 0) {
      for (let b = 0; b < indices.length; b++) {
        const row = Math.floor(indices[b] / rowSlots);
        one[0] = indices[b] - row * rowSlots;
        (rings[row] as Replay).gather(one, numSteps, gamma, batch, first + b);
      }
    },
    clear: () => rings.fill(null),
  };
  return self;
}

/** The first row whose end lies above `drawn`, found by halving. */
function firstAbove(ends: Float64Array, drawn: number): number {
  let low = 0;
  let high = ends.length - 1;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (ends[middle] > drawn) high = middle;
    else low = middle + 1;
  }
  return low;
}
