/** The rows of a rollout that one host collected, as bytes: out of the host's arena, into the learner's. */
import type { Column, RolloutLayout } from '../experience/layout.ts';

const BYTES = { float32: 4, float64: 8, int32: 4, uint8: 1 } as const;

/** Written by the learner's side, or known there. */
const NOT_SENT = new Set(['advantages', 'returns', 'policyVersions']);
/** One slot for each step that ended an episode; the others hold nothing. */
const SLOTS = 'finalObservations';

interface SentColumn {
  readonly name: string;
  readonly offset: number;
  readonly bytesPerRow: number;
}

/** What a fragment of this layout consists of, in order: every column row by row, then the slots that are in use. */
function sentColumns({ columns, numRows }: RolloutLayout): SentColumn[] {
  return columns
    .filter((column) => !NOT_SENT.has(column.name) && column.name !== SLOTS)
    .map((column) => ({
      name: column.name,
      offset: column.offset,
      bytesPerRow: bytesOf(column) / numRows,
    }))
    .filter(({ bytesPerRow }) => bytesPerRow > 0);
}

function bytesOf({ shape, dtype }: Column): number {
  return shape.reduce((product, dimension) => product * dimension, BYTES[dtype]);
}

/** Where slots lie and which are in use; null = the rollout keeps none. */
interface Slots {
  /** Byte offset of the slots, and bytes of one. */
  readonly offset: number;
  readonly bytes: number;
  readonly column: Column;
}

function slotsOf(layout: RolloutLayout): Slots | null {
  const observations = layout.columns.find(({ name }) => name === SLOTS);
  const column = layout.columns.find(({ name }) => name === 'finalSlots');
  if (observations === undefined || column === undefined || bytesOf(observations) === 0) return null;
  return {
    offset: observations.offset,
    bytes: bytesOf(observations) / (layout.numRows * layout.rolloutLength),
    column,
  };
}

/** `finalSlots` of rows [first, first + count) of a block set. i32 [count * T] */
function slotIndices(
  buffer: ArrayBufferLike,
  address: number,
  { column }: Slots,
  T: number,
  first: number,
  count: number,
): Int32Array {
  return new Int32Array(buffer, address + column.offset + 4 * first * T, count * T);
}

/**
 * All rows of a block set as parts, one behind the other: views of the arena.
 *
 * Thread: the caller owns the set until it has used them.
 */
export function packRollout(buffer: ArrayBufferLike, address: number, layout: RolloutLayout): Uint8Array[] {
  const { numRows: N, rolloutLength: T } = layout;
  const slots = slotsOf(layout);
  const view = (offset: number, length: number) => new Uint8Array(buffer, address + offset, length);
  const parts = sentColumns(layout).map(({ offset, bytesPerRow }) => view(offset, bytesPerRow * N));
  if (slots === null) return parts;
  const used = usedSlots(slotIndices(buffer, address, slots, T, 0, N));
  return [...parts, ...used.map((slot) => view(slots.offset + slot * slots.bytes, slots.bytes))];
}

function usedSlots(indices: Int32Array): number[] {
  return [...indices.filter((slot) => slot >= 0)];
}

/**
 * Writes a fragment into rows [first, first + count) of a block set of the learner's.
 *
 * @param layout of the learner's block sets; the host's is the same but for the number of rows.
 * @throws RangeError when the bytes are not those of so many rows: nothing has been written then.
 */
export function unpackRows(
  fragment: Uint8Array,
  buffer: ArrayBufferLike,
  address: number,
  layout: RolloutLayout,
  { first, count, version }: { readonly first: number; readonly count: number; readonly version: number },
): void {
  const { rolloutLength: T } = layout;
  const columns = sentColumns(layout);
  const slots = slotsOf(layout);
  const size = columns.reduce((sum, { bytesPerRow }) => sum + bytesPerRow * count, 0);
  const numSlotBytes = fragment.length - size;
  if (numSlotBytes < 0 || (slots === null && numSlotBytes !== 0))
    throw new RangeError(
      `Expected a fragment of ${count} rows to have ${size} bytes, got ${fragment.length}.`,
    );
  let at = 0;
  const take = (offset: number, length: number) => {
    new Uint8Array(buffer, address + offset, length).set(fragment.subarray(at, at + length));
    at += length;
  };
  for (const { offset, bytesPerRow } of columns) take(offset + first * bytesPerRow, count * bytesPerRow);
  const versions = layout.columns.find(({ name }) => name === 'policyVersions') as Column;
  new Int32Array(buffer, address + versions.offset + 4 * first, count).fill(version);
  if (slots === null) return;
  const indices = slotIndices(buffer, address, slots, T, first, count);
  for (let i = 0; i < indices.length; i++) {
    if (indices[i] < 0) continue;
    indices[i] += first * T;
    take(slots.offset + indices[i] * slots.bytes, slots.bytes);
  }
}
