/** A replay buffer as plain arrays, whole, and back: where there are no files whose segments could be shared. */
import type { NamedTensor } from '../checkpoint/content.ts';
import { indexOfOdd } from '../checkpoint/tensor-rules.ts';
import { CheckpointError } from '../errors.ts';
import type { PrioritisedSampler, PriorityState } from './prioritised-sampler.ts';
import type { Replay } from './replay.ts';
import {
  clearRing,
  copyRange,
  fullSegments,
  readRange,
  restoreRange,
  tailPosition,
} from './replay-segments.ts';
import type { Ring } from './ring.ts';

/** Steps [position, position + length) of every row, by the names of `copyRange`. */
export interface ReplayRange {
  readonly position: number;
  readonly length: number;
  readonly tensors: Readonly<Record<string, NamedTensor>>;
}

export interface ReplayCopy {
  /** Steps of each row so far. */
  readonly end: number;
  /** In order; the last one ends with the current observation. */
  readonly ranges: readonly ReplayRange[];
  /** null = transitions are drawn uniformly. */
  readonly priorities: PriorityState | null;
}

/** Cost: a copy of what is kept, about 2 GB/s. */
export function copyReplay({ ring }: Replay, sampler: PrioritisedSampler | null): ReplayCopy {
  const { segmentSteps } = ring.plan;
  const tail = tailPosition(ring);
  const range = (position: number, length: number): ReplayRange => ({
    position,
    length,
    tensors: copyRange(ring, position, length),
  });
  const full = fullSegments(ring).map((j) => range(j * segmentSteps, segmentSteps));
  return {
    end: ring.end,
    ranges: [...full, range(tail, ring.end - tail + 1)],
    priorities: sampler?.getState() ?? null,
  };
}

/** @throws CheckpointError `CHECKPOINT_REPLAY` for a copy that is not one of such a buffer. */
export function checkReplayCopy(
  { ring }: Replay,
  sampler: PrioritisedSampler | null,
  copy: ReplayCopy,
): void {
  const { end, ranges, priorities } = copy;
  const { segmentSteps } = ring.plan;
  const tail = tailPosition({ ...ring, end });
  const full = fullSegments({ ...ring, end });
  const fits =
    Number.isSafeInteger(end) &&
    ranges.length === full.length + 1 &&
    full.every((j, k) => ranges[k].position === j * segmentSteps && ranges[k].length === segmentSteps) &&
    ranges[full.length].position === tail &&
    ranges[full.length].length === end - tail + 1;
  if (!fits) throw broken('its ranges are not those of its steps');
  for (const { length, tensors, position } of ranges) readRange(ring.plan, length, tensors, nameOf(position));
  if ((priorities === null) !== (sampler === null) || !arePriorities(ring, priorities, end))
    throw broken('its priorities do not fit it');
}

function arePriorities({ plan }: Ring, priorities: PriorityState | null, replayEnd: number): boolean {
  if (priorities === null) return true;
  const { masses, largestPriority, first, end } = priorities;
  return (
    masses instanceof Float32Array &&
    masses.length === plan.numRows * plan.rowSlots &&
    indexOfOdd(masses, 'nonNegative') < 0 &&
    largestPriority > 0 &&
    largestPriority < Infinity &&
    first >= 0 &&
    first <= end &&
    end <= replayEnd
  );
}

/** Puts back what {@link copyReplay} gave and {@link checkReplayCopy} found good. Keeps nothing of it. */
export function restoreReplay({ ring }: Replay, sampler: PrioritisedSampler | null, copy: ReplayCopy): void {
  clearRing(ring);
  for (const { position, length, tensors } of copy.ranges)
    restoreRange(ring, position, length, tensors, nameOf(position));
  ring.end = copy.end;
  if (copy.priorities !== null) sampler?.setState(copy.priorities);
}

const nameOf = (position: number): string => `steps from ${position}`;

function broken(why: string): CheckpointError {
  return new CheckpointError(
    'CHECKPOINT_REPLAY',
    `The replay buffer of this state is not as it was taken: ${why}. Use another one.`,
  );
}
