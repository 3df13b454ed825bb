/** Frames (observations, or one picture of a stack) by slot, in shared memory of any size. */
import { ConfigError, ShapeError } from '../errors.ts';
import type { ReplayPlan } from './replay-spec.ts';

/** What frames are copied as: 32-bit words where a frame (or group) is whole words, else bytes. Copies of words keep every bit of a NaN. */
export type Units = Int32Array | Uint8Array;

/** Frame of slot i: `frameUnits` units of chunk `i >>> shift`, from `(i & mask) * frameUnits` on. */
export interface FrameStore {
  readonly chunks: Units[];
  readonly shift: number;
  readonly mask: number;
  readonly frameUnits: number;
  readonly isWords: boolean;
}

/** Below the 4 GiB to which Node 20 limits one typed array. */
const CHUNK_BYTES = 2 ** 30;

/**
 * Room for `numSlots` frames, zeroed; the memory is committed by the system as it is written.
 *
 * @param slotsPerChunk a power of two. @defaultValue as many as 1 GiB holds
 * @throws {@link ConfigError} `CONFIG_REPLAY_MEMORY` when it cannot be allocated.
 */
export function createFrameStore(plan: ReplayPlan, numSlots: number, slotsPerChunk?: number): FrameStore {
  const { frameBytes, spec, groupSize } = plan;
  const groupBytes = spec.observationDtype === 'uint8' ? groupSize : 4 * groupSize;
  const isWords = frameBytes % 4 === 0 && groupBytes % 4 === 0;
  const perChunk = slotsPerChunk ?? 2 ** Math.floor(Math.log2(Math.max(1, CHUNK_BYTES / frameBytes)));
  const store: FrameStore = {
    chunks: [],
    shift: Math.log2(perChunk),
    mask: perChunk - 1,
    frameUnits: isWords ? frameBytes / 4 : frameBytes,
    isWords,
  };
  for (let rest = numSlots; rest > 0; rest -= perChunk) addChunk(store, Math.min(rest, perChunk));
  return store;
}

/** Adds room for `numSlots` frames more. */
export function addChunk({ chunks, frameUnits, isWords }: FrameStore, numSlots: number): void {
  const buffer = allocateShared(numSlots * frameUnits * (isWords ? 4 : 1));
  chunks.push(isWords ? new Int32Array(buffer) : new Uint8Array(buffer));
}

/**
 * Shared where there is such a thing: a page that is not cross-origin isolated has none, and one thread.
 *
 * @throws {@link ConfigError} `CONFIG_REPLAY_MEMORY` when the system refuses.
 */
export function allocateShared(byteLength: number): SharedArrayBuffer | ArrayBuffer {
  try {
    return typeof SharedArrayBuffer === 'undefined'
      ? new ArrayBuffer(byteLength)
      : new SharedArrayBuffer(byteLength);
  } catch (cause) {
    const message = `The system refused ${byteLength} bytes for the replay buffer. Lower replayCapacity, give replayBytes, or free memory.`;
    throw new ConfigError('CONFIG_REPLAY_MEMORY', message, { cause });
  }
}

/**
 * The memory of `array` in the units of the store.
 *
 * @throws {@link ShapeError} `SHAPE_REPLAY_ALIGNMENT` when words are wanted and the array does not begin at one.
 */
export function unitsOf({ isWords }: FrameStore, array: Float32Array | Uint8Array): Units {
  if (!isWords) return array as Uint8Array;
  if (array.byteOffset % 4 === 0 && array.byteLength % 4 === 0) {
    return new Int32Array(array.buffer, array.byteOffset, array.byteLength / 4);
  }
  throw new ShapeError(
    'SHAPE_REPLAY_ALIGNMENT',
    `Expected observations to begin at a multiple of 4 bytes and end at one, got offset ${array.byteOffset} and length ${array.byteLength}.`,
  );
}

/** Copies slot `slot` to `target[at ..]`. */
export function readFrame(store: FrameStore, slot: number, target: Units, at: number): void {
  const { frameUnits } = store;
  const chunk = store.chunks[slot >>> store.shift];
  const from = (slot & store.mask) * frameUnits;
  for (let k = 0; k < frameUnits; k++) target[at + k] = chunk[from + k];
}

/** Copies `source[at ..]` into slot `slot`. */
export function writeFrame(store: FrameStore, slot: number, source: Units, at: number): void {
  const { frameUnits } = store;
  const chunk = store.chunks[slot >>> store.shift];
  const to = (slot & store.mask) * frameUnits;
  for (let k = 0; k < frameUnits; k++) chunk[to + k] = source[at + k];
}
