/** Observations out of frames: a stack holds the last frames of its episode, each of which is stored once. */
import { type FrameStore, readFrame, type Units } from './frame-store.ts';
import type { Ring } from './ring.ts';

/** Where frame f of a stack at `target[at ..]` goes: groups of every frame in turn. */
function scatterFrame(
  store: FrameStore,
  slot: number,
  { plan: { frameSize, groupSize, numFrames } }: Ring,
  f: number,
  target: Units,
  at: number,
): void {
  const { frameUnits } = store;
  const groupUnits = (frameUnits / frameSize) * groupSize;
  const chunk = store.chunks[slot >>> store.shift];
  let from = (slot & store.mask) * frameUnits;
  const end = from + frameUnits;
  for (let to = at + f * groupUnits; from < end; to += groupUnits * numFrames) {
    for (let k = 0; k < groupUnits; k++) target[to + k] = chunk[from + k];
    from += groupUnits;
  }
}

/**
 * Slot of the frame before that of `slot` in the same episode; `slot` itself at the episode's first.
 *
 * @param base first slot of the row.
 */
function frameBefore({ flags, plan: { rowSlots } }: Ring, base: number, slot: number): number {
  const before = slot === base ? base + rowSlots - 1 : slot - 1;
  return flags[before] === 0 ? before : slot;
}

/** Writes the observation of `slot`, a slot of the row that begins at `base`, to `target[at ..]`. */
export function readObservation(ring: Ring, base: number, slot: number, target: Units, at: number): void {
  const { numFrames } = ring.plan;
  if (numFrames === 1) {
    readFrame(ring.frames, slot, target, at);
    return;
  }
  let current = slot;
  for (let f = numFrames - 1; f >= 0; f--) {
    scatterFrame(ring.frames, current, ring, f, target, at);
    if (f > 0) current = frameBefore(ring, base, current);
  }
}

/** Writes the true last observation of an episode: entry `final`, after the frames of its last step in `slot`. */
export function readFinalObservation(
  ring: Ring,
  base: number,
  slot: number,
  final: number,
  target: Units,
  at: number,
): void {
  const { numFrames } = ring.plan;
  const store = ring.finals.frames;
  if (numFrames === 1) {
    readFrame(store, final, target, at);
    return;
  }
  scatterFrame(store, final, ring, numFrames - 1, target, at);
  let current = slot;
  for (let f = numFrames - 2; f >= 0; f--) {
    scatterFrame(ring.frames, current, ring, f, target, at);
    if (f > 0) current = frameBefore(ring, base, current);
  }
}

/** Copies frame f of the stack at `source[at ..]` into a slot. */
export function writeStackedFrame(
  store: FrameStore,
  slot: number,
  { plan: { frameSize, groupSize, numFrames } }: Ring,
  f: number,
  source: Units,
  at: number,
): void {
  const { frameUnits } = store;
  const groupUnits = (frameUnits / frameSize) * groupSize;
  const chunk = store.chunks[slot >>> store.shift];
  let to = (slot & store.mask) * frameUnits;
  const end = to + frameUnits;
  for (let from = at + f * groupUnits; to < end; from += groupUnits * numFrames) {
    for (let k = 0; k < groupUnits; k++) chunk[to + k] = source[from + k];
    to += groupUnits;
  }
}
