/** A replay buffer: what was experienced, kept to be learned from again and again. */
import { ConfigError } from '../errors.ts';
import { appendFragment, type ReplayFragment } from './append.ts';
import { createGather, type Gather } from './gather.ts';
import type { ReplaySpec } from './replay-spec.ts';
import { createRing, firstPosition, type Ring } from './ring.ts';

/**
 * Positions count the steps of each row since the run began; all rows have the same ones. A transition is named by its slot,
 * `row * rowSlots + position % rowSlots`, as samplers draw it. It means the same transition until its place is needed: `capacity`
 * steps, and a checkpoint segment, later.
 */
export interface Replay {
  readonly ring: Ring;
  /** Transitions that are kept, over all rows. */
  readonly size: number;
  /** The largest size it can have. */
  readonly capacity: number;
  /** @throws ShapeError as {@link appendFragment}. */
  append(fragment: ReplayFragment): void;
  readonly gather: Gather;
  /**
   * Transitions that can be sampled with returns of `numSteps` steps: the last `numSteps - 1` of a row are left out, since their
   * window is not whole yet (as where returns are summed before they are stored).
   */
  numSampleable(numSteps: number): number;
}

/**
 * Allocates a replay buffer. Observations are stored once: what follows a step is the next slot, and the true last observations of
 * truncated episodes (with a goal, of all) lie in a table of their own. A stack of frames stores each frame once.
 *
 * @throws ConfigError as planReplay; `CONFIG_REPLAY_MEMORY` when the memory cannot be had: call checkReplayMemory first.
 * Thread: the one that appends and samples; it owns the memory, which is shared.
 */
export function createReplay(spec: ReplaySpec): Replay {
  const ring = createRing(spec);
  const { numRows, rowCapacity } = ring.plan;
  return {
    ring,
    get size() {
      return (ring.end - firstPosition(ring)) * numRows;
    },
    capacity: rowCapacity * numRows,
    append: (fragment) => appendFragment(ring, fragment),
    gather: createGather(ring),
    numSampleable: (numSteps) => numSampleable(ring, numSteps),
  };
}

function numSampleable(ring: Ring, numSteps: number): number {
  return Math.max(0, ring.end - numSteps + 1 - firstPosition(ring)) * ring.plan.numRows;
}

/**
 * @throws {@link ConfigError} `CONFIG_REPLAY_BATCH` when fewer transitions than `batchSize` can be sampled.
 */
export function checkBatch(
  replay: Pick<Replay, 'numSampleable' | 'capacity'>,
  numSteps: number,
  batchSize: number,
): void {
  const available = replay.numSampleable(numSteps);
  if (batchSize <= available) return;
  const windows = numSteps === 1 ? '' : ` with ${numSteps}-step returns`;
  throw new ConfigError(
    'CONFIG_REPLAY_BATCH',
    `Cannot sample ${batchSize} transitions${windows}: ${available} have been collected (capacity ${replay.capacity}). ` +
      'Raise `learningStarts` or the capacity, or lower `batchSize`.',
  );
}
