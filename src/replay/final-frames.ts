/** The true last observations of episodes, beside the ring: after an end, the ring's next slot holds the next episode's first. */
import { addChunk, createFrameStore, type FrameStore } from './frame-store.ts';
import type { ReplayPlan } from './replay-spec.ts';

const ENTRIES_PER_CHUNK = 1024;

/**
 * A queue of entries by key, position * numRows + row, in order: entries are found by halving and leave from the front. Memory grows with the largest number of entries alive at once, and is used again.
 */
export interface FinalFrames {
  readonly frames: FrameStore;
  /** Mask of entry `slot`: chunk `slot >>> frames.shift`, from `(slot & frames.mask) * maskSize` on. */
  readonly masks: readonly Uint8Array[];
  readonly length: number;
  /** Key of entry k, the oldest being 0. */
  keyAt(k: number): number;
  slotAt(k: number): number;
  /** Adds an entry and returns the slot to write it to. */
  push(key: number): number;
  /** Slot of an entry; -1 without one. Cost: log2(length) steps. */
  find(key: number): number;
  dropBefore(key: number): void;
  clear(): void;
}

export function createFinalFrames(plan: ReplayPlan): FinalFrames {
  const frames = createFrameStore(plan, 0, ENTRIES_PER_CHUNK);
  const masks: Uint8Array[] = [];
  let queue = { keys: new Float64Array(64), slots: new Int32Array(64) }; // a ring of a power of two entries
  let head = 0;
  let length = 0;
  let numSlots = 0;
  const free: number[] = [];

  const keyAt = (k: number) => queue.keys[(head + k) & (queue.keys.length - 1)];
  const slotAt = (k: number) => queue.slots[(head + k) & (queue.keys.length - 1)];
  const put = (k: number, key: number, slot: number) => {
    queue.keys[(head + k) & (queue.keys.length - 1)] = key;
    queue.slots[(head + k) & (queue.keys.length - 1)] = slot;
  };
  /** Entries with a smaller key. */
  const countBefore = (key: number) => {
    let low = 0;
    let high = length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (keyAt(middle) < key) low = middle + 1;
      else high = middle;
    }
    return low;
  };
  const grow = () => {
    const entries = Array.from({ length }, (_, k) => [keyAt(k), slotAt(k)] as const);
    queue = { keys: new Float64Array(2 * length), slots: new Int32Array(2 * length) };
    head = 0;
    for (const [k, [key, slot]] of entries.entries()) put(k, key, slot);
  };
  const newSlot = () => {
    if (numSlots % ENTRIES_PER_CHUNK === 0) {
      addChunk(frames, ENTRIES_PER_CHUNK);
      masks.push(new Uint8Array(ENTRIES_PER_CHUNK * plan.spec.maskSize));
    }
    numSlots += 1;
    return numSlots - 1;
  };
  const drop = (count: number) => {
    for (let k = 0; k < count; k++) free.push(slotAt(k));
    head = (head + count) & (queue.keys.length - 1);
    length -= count;
  };

  return {
    frames,
    masks,
    get length() {
      return length;
    },
    keyAt,
    slotAt,
    push(key) {
      if (length === queue.keys.length) grow();
      const slot = free.pop() ?? newSlot();
      let k = length;
      length += 1;
      // One that comes late (an episode cut afterwards) goes before the others of its step.
      for (; k > 0 && keyAt(k - 1) > key; k--) put(k, keyAt(k - 1), slotAt(k - 1));
      put(k, key, slot);
      return slot;
    },
    find(key) {
      const k = countBefore(key);
      return k < length && keyAt(k) === key ? slotAt(k) : -1;
    },
    dropBefore: (key) => drop(countBefore(key)),
    clear: () => drop(length),
  };
}
