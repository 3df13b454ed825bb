/** A replay buffer's memory as tensors, by range of positions, and back. */

import type { NamedTensor } from '../checkpoint/content.ts';
import { indexOfOdd } from '../checkpoint/tensor-rules.ts';
import { CheckpointError } from '../errors.ts';
import { readFrame, type Units, unitsOf, writeFrame } from './frame-store.ts';
import type { ReplayPlan } from './replay-spec.ts';
import { firstPosition, type Ring } from './ring.ts';

type Tensors = Readonly<Record<string, NamedTensor>>;

/** Segment j holds positions [j G, (j + 1) G) of every row. Those of which a kept step (or a frame of its stack) is alive, oldest first. */
export function fullSegments(ring: Ring): readonly number[] {
  const { segmentSteps, numFrames } = ring.plan;
  const oldest = Math.floor((firstPosition(ring) - numFrames + 1) / segmentSteps);
  const numFull = Math.floor(ring.end / segmentSteps);
  return Array.from({ length: Math.max(0, numFull - oldest) }, (_, k) => oldest + k);
}

/** Where the part begins that is in no full segment. It ends with the slot of `end`: the current observation. */
export function tailPosition({ end, plan: { segmentSteps } }: Ring): number {
  return Math.floor(end / segmentSteps) * segmentSteps;
}

/**
 * Copies `length` steps of every row, beginning at a multiple of the segment's steps, so that the range does not wrap.
 *
 * `observations` [R, L, frameSize], `actions` [R, L, A], `rewards` [R, L], `flags` u8 [R, L] (1 terminated, 2 truncated), `masks` u8
 * [R, L, maskSize]; and of true last observations in that range `finalKeys` f64 [F] (position * R + row), `finalObservations`
 * [F, frameSize], `finalMasks` u8 [F, maskSize].
 */
export function copyRange(ring: Ring, position: number, length: number): Tensors {
  const { plan, frames, rewards, flags, masks } = ring;
  const { numRows: R, rowSlots, frameSize, spec } = plan;
  const { actionSize: A, actionDtype, maskSize } = spec;
  const observations = framesArray(ring, R * length);
  const words = unitsOf(frames, observations);
  const actions = new Int32Array(R * length * A);
  const out = {
    rewards: new Float32Array(R * length),
    flags: new Uint8Array(R * length),
    masks: new Uint8Array(R * length * maskSize),
  };
  for (let row = 0; row < R; row++) {
    const from = row * rowSlots + (position % rowSlots);
    const at = row * length;
    for (let k = 0; k < length; k++) readFrame(frames, from + k, words, (at + k) * frames.frameUnits);
    actions.set(ring.actions.subarray(from * A, (from + length) * A), at * A);
    out.rewards.set(rewards.subarray(from, from + length), at);
    out.flags.set(flags.subarray(from, from + length), at);
    out.masks.set(masks.subarray(from * maskSize, (from + length) * maskSize), at * maskSize);
  }
  const actionData = actionDtype === 'int32' ? actions : new Float32Array(actions.buffer);
  return {
    observations: tensor(spec.observationDtype, [R, length, frameSize], observations),
    actions: tensor(actionDtype, [R, length, A], actionData),
    rewards: tensor('float32', [R, length], out.rewards),
    flags: tensor('uint8', [R, length], out.flags),
    masks: tensor('uint8', [R, length, maskSize], out.masks),
    ...copyFinals(ring, position * R, (position + length) * R),
  };
}

/** Entries with keys in [from, to). */
function copyFinals({ finals, plan }: Ring, from: number, to: number): Tensors {
  const { frameSize, spec } = plan;
  const { maskSize } = spec;
  const all = Array.from({ length: finals.length }, (_, k) => k);
  const entries = all.filter((k) => finals.keyAt(k) >= from && finals.keyAt(k) < to);
  const F = entries.length;
  const observations = framesArray({ plan }, F);
  const words = unitsOf(finals.frames, observations);
  const masks = new Uint8Array(F * maskSize);
  entries.forEach((entry, k) => {
    const slot = finals.slotAt(entry);
    readFrame(finals.frames, slot, words, k * finals.frames.frameUnits);
    const at = (slot & finals.frames.mask) * maskSize;
    masks.set(finals.masks[slot >>> finals.frames.shift].subarray(at, at + maskSize), k * maskSize);
  });
  return {
    finalKeys: tensor(
      'float64',
      [F],
      Float64Array.from(entries, (entry) => finals.keyAt(entry)),
    ),
    finalObservations: tensor(spec.observationDtype, [F, frameSize], observations),
    finalMasks: tensor('uint8', [F, maskSize], masks),
  };
}

/** The arrays of a range, as {@link copyRange} gave them. */
interface RangeArrays {
  readonly observations: Float32Array | Uint8Array; // [R, length, frameSize]
  readonly actions: Float32Array | Int32Array; // [R, length, A]
  readonly rewards: Float32Array; // [R, length] f32
  readonly flags: Uint8Array; // [R, length] u8
  readonly masks: Uint8Array; // [R, length, maskSize] u8
  readonly keys: Float64Array; // [F] f64
  readonly finals: Float32Array | Uint8Array; // [F, frameSize]
  readonly finalMasks: Uint8Array; // [F, maskSize] u8
}

/** @throws {@link CheckpointError} `CHECKPOINT_REPLAY` when a tensor is missing, has another shape, or holds what no run puts there. */
export function readRange(
  { spec, numRows: R, frameSize }: ReplayPlan,
  length: number,
  tensors: Tensors,
  source: string,
): RangeArrays {
  const { actionSize: A, actionDtype, observationDtype, maskSize } = spec;
  const F = tensors.finalKeys?.data.length ?? 0;
  const read = <T extends NamedTensor['data']>(
    name: string,
    dtype: string,
    shape: readonly number[],
    values: 'finite' | 'nonNegative' = 'finite',
  ) => dataOf<T>(tensors, name, dtype, shape, source, values);
  const actionValues = actionDtype === 'int32' ? 'nonNegative' : 'finite';
  return {
    observations: read('observations', observationDtype, [R, length, frameSize]),
    actions: read('actions', actionDtype, [R, length, A], actionValues),
    rewards: read('rewards', 'float32', [R, length]),
    flags: read('flags', 'uint8', [R, length]),
    masks: read('masks', 'uint8', [R, length, maskSize]),
    keys: read('finalKeys', 'float64', [F], 'nonNegative'),
    finals: read('finalObservations', observationDtype, [F, frameSize]),
    finalMasks: read('finalMasks', 'uint8', [F, maskSize]),
  };
}

/** As a ring is when it is made. */
export function clearRing(ring: Ring): void {
  ring.end = ring.plan.numFrames - 1;
  ring.finals.clear();
  ring.flags.fill(0);
}

/**
 * Puts back what {@link copyRange} gave. Ranges have to come in order: true last observations are appended.
 *
 * @throws {@link CheckpointError} as {@link readRange}; nothing has been written then.
 */
export function restoreRange(
  ring: Ring,
  position: number,
  length: number,
  tensors: Tensors,
  source: string,
): void {
  const { plan, frames } = ring;
  const { numRows: R, rowSlots, spec } = plan;
  const { actionSize: A, maskSize } = spec;
  const range = readRange(plan, length, tensors, source);
  const { observations, actions, rewards, flags, masks, keys, finals, finalMasks } = range;
  const words = unitsOf(frames, observations);
  const actionWords = new Int32Array(actions.buffer, actions.byteOffset, actions.length);
  for (let row = 0; row < R; row++) {
    const to = row * rowSlots + (position % rowSlots);
    const at = row * length;
    for (let k = 0; k < length; k++) writeFrame(frames, to + k, words, (at + k) * frames.frameUnits);
    ring.actions.set(actionWords.subarray(at * A, (at + length) * A), to * A);
    ring.rewards.set(rewards.subarray(at, at + length), to);
    ring.flags.set(flags.subarray(at, at + length), to);
    ring.masks.set(masks.subarray(at * maskSize, (at + length) * maskSize), to * maskSize);
  }
  restoreFinals(ring, keys, unitsOf(frames, finals), finalMasks);
}

function restoreFinals({ finals, plan }: Ring, keys: Float64Array, frames: Units, masks: Uint8Array): void {
  const { maskSize } = plan.spec;
  for (let k = 0; k < keys.length; k++) {
    const slot = finals.push(keys[k]);
    writeFrame(finals.frames, slot, frames, k * finals.frames.frameUnits);
    const to = (slot & finals.frames.mask) * maskSize;
    finals.masks[slot >>> finals.frames.shift].set(masks.subarray(k * maskSize, (k + 1) * maskSize), to);
  }
}

function framesArray({ plan }: Pick<Ring, 'plan'>, count: number): Float32Array | Uint8Array {
  const length = count * plan.frameSize;
  return plan.spec.observationDtype === 'uint8' ? new Uint8Array(length) : new Float32Array(length);
}

function tensor(
  dtype: NamedTensor['dtype'],
  shape: readonly number[],
  data: NamedTensor['data'],
): NamedTensor {
  return { dtype, shape, data };
}

function dataOf<T extends NamedTensor['data']>(
  tensors: Tensors,
  name: string,
  dtype: string,
  shape: readonly number[],
  source: string,
  values: 'finite' | 'nonNegative',
): T {
  const found = Object.hasOwn(tensors, name) ? tensors[name] : undefined;
  if (found?.dtype === dtype && found.shape.join() === shape.join()) {
    const odd = indexOfOdd(found.data, values);
    if (odd < 0) return found.data as T;
    throw new CheckpointError(
      'CHECKPOINT_REPLAY',
      `Expected ${values === 'nonNegative' ? 'numbers from 0' : 'finite numbers'} as \`${name}\` in the replay buffer's ${source}, got ${found.data[odd]} at ${odd}. Use an older checkpoint.`,
    );
  }
  const described = found === undefined ? 'nothing' : `${found.dtype} [${found.shape.join(', ')}]`;
  throw new CheckpointError(
    'CHECKPOINT_REPLAY',
    `Expected \`${name}\` in the replay buffer's ${source} to be ${dtype} [${shape.join(', ')}], got ${described}. Use an older checkpoint.`,
  );
}
