/** The memory of a replay buffer: for each environment row a ring of steps, and the true last observations of episodes. */
import { createFinalFrames, type FinalFrames } from './final-frames.ts';
import { allocateShared, createFrameStore, type FrameStore } from './frame-store.ts';
import { planReplay, type ReplayPlan, type ReplaySpec } from './replay-spec.ts';

/** Bits of a step's flag byte. */
export const TERMINATED = 1;
export const TRUNCATED = 2;

/**
 * R rows of S slots; slot i = row * S + position % S. All rows are written together, so one position counts for all: the step
 * at position p has its observation, action, reward, flags and mask in that slot, and what follows it (unless its episode ended)
 * in the slot of p + 1. The slot of `end` holds the current observation and mask, whose action is not yet known.
 *
 * Columns lie in SharedArrayBuffers. Owner: the thread that made the ring; others may read between two appends.
 */
export interface Ring {
  readonly plan: ReplayPlan;
  readonly frames: FrameStore; // [R, S, frameSize]
  readonly actions: Int32Array; // [R, S, A] i32, or the bits of f32
  readonly rewards: Float32Array; // [R, S] f32
  readonly flags: Uint8Array; // [R, S] u8
  readonly masks: Uint8Array; // [R, S, maskSize] u8
  readonly finals: FinalFrames;
  /** Position of the next step. It counts from numFrames - 1, since the frames before the first step have slots, too. */
  end: number;
  /** Episodes that were cut after their last step had been appended: what that step's segment holds has changed. */
  numCuts: number;
}

/** @throws ConfigError as {@link planReplay}; `CONFIG_REPLAY_MEMORY` when the memory cannot be had. */
export function createRing(spec: ReplaySpec): Ring {
  const plan = planReplay(spec);
  const numSlots = plan.numRows * plan.rowSlots;
  return {
    plan,
    frames: createFrameStore(plan, numSlots),
    actions: new Int32Array(allocateShared(4 * numSlots * spec.actionSize)),
    rewards: new Float32Array(allocateShared(4 * numSlots)),
    flags: new Uint8Array(allocateShared(numSlots)),
    masks: new Uint8Array(allocateShared(numSlots * spec.maskSize)),
    finals: createFinalFrames(plan),
    end: plan.numFrames - 1,
    numCuts: 0,
  };
}

/** Position of the oldest step that is kept. */
export function firstPosition({ plan, end }: Pick<Ring, 'plan' | 'end'>): number {
  return Math.max(plan.numFrames - 1, end - plan.rowCapacity);
}

/** Position of the step in slot `slot` of a row. */
export function positionOf({ plan, end }: Pick<Ring, 'plan' | 'end'>, slot: number): number {
  return positionBefore(end, slot, plan.rowSlots);
}

/** The newest position before `end` that lies in a slot. */
export function positionBefore(end: number, slot: number, rowSlots: number): number {
  const age = (end % rowSlots) - slot;
  return end - (age > 0 ? age : age + rowSlots);
}
