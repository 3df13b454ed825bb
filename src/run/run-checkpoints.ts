/** When a run saves, in the background, and what stays on the disk. */
import type { CheckpointContent } from '../checkpoint/content.ts';
import type { RunWarning } from './run-callbacks.ts';
import type { RunFolder } from './run-folder.ts';
import { type BestSoFar, encodeRunState, RUN_STATE_NAME, type RunState } from './run-state.ts';

export interface CheckpointPolicy {
  /** Iterations between checkpoints; null = none by count. */
  readonly checkpointEvery: number | null;
  /** Seconds between checkpoints; null = none by time. */
  readonly checkpointSeconds: number | null;
  /** How many of the newest stay, besides the best. */
  readonly keepCheckpoints: number;
}

export interface SavedCheckpoint {
  readonly path: string;
  readonly iteration: number;
  readonly isBest: boolean;
}

export interface RunCheckpoints {
  /** Whether an iteration's end calls for a checkpoint by count or time. `now` in seconds, on any steady clock. */
  isDue(iteration: number, now: number): boolean;
  isSaved(iteration: number): boolean;
  /** Begins to write; waits first for the one before. Failures become warnings, and {@link RunCheckpoints.failure}. */
  save(
    content: CheckpointContent,
    state: RunState,
    iteration: number,
    isBest: boolean,
    now: number,
  ): Promise<void>;
  /**
   * A new best between two checkpoints: written at once, or, when one has been written in the last {@link BEST_WRITE_SECONDS}, held in
   * memory until the next checkpoint, which it precedes. So a clock decides when the best is written, and never which one it is.
   */
  saveBest(content: CheckpointContent, state: RunState, iteration: number, now: number): Promise<void>;
  /** Writes a best that is held. */
  releaseBest(): Promise<void>;
  /** Waits for the one being written. */
  settle(): Promise<void>;
  /** Checkpoints that became whole since the last call. */
  takeFinished(): SavedCheckpoint[];
  /** Why the newest attempt failed; null when it did not. */
  readonly failure: Error | null;
  /** The newest whole checkpoint; null without one. */
  readonly newest: string | null;
  /** A best whose checkpoint could not be written is none: this forgets it. Returns what is the best instead. */
  confirmBest(best: BestSoFar | null): BestSoFar | null;
}

/** A return that creeps up is a new best in every iteration. */
const BEST_WRITE_SECONDS = 2;

interface HeldBest {
  readonly content: CheckpointContent;
  readonly state: RunState;
  readonly iteration: number;
}

/** Keeps at most one best in memory until its time has come. */
function createBestHolder(write: (best: HeldBest) => Promise<void>) {
  let held: HeldBest | null = null;
  let writtenAt = Number.NEGATIVE_INFINITY;
  const release = async (before = Number.POSITIVE_INFINITY) => {
    const best = held;
    held = null;
    if (best !== null && best.iteration < before) await write(best);
  };
  return {
    /** Writes the one that is held, unless it is of iteration `before`, which is about to be written itself. */
    release,
    /** One that was held before was never the best of anything on the disk. */
    async hold(best: HeldBest, now: number) {
      held = best;
      if (now - writtenAt < BEST_WRITE_SECONDS) return;
      writtenAt = now;
      await release();
    },
  };
}

/**
 * Writing overlaps with the next iteration: most of a save is waiting for the disk. At most one is on its way, and its
 * content is a snapshot, so training cannot change what is written.
 *
 * @param start where the run goes on; `newest` is the path of the checkpoint it was resumed from, when that lies in this folder.
 */
export function createRunCheckpoints(
  folder: RunFolder,
  policy: CheckpointPolicy,
  start: {
    readonly iteration: number;
    readonly newest: string | null;
    readonly best: BestSoFar | null;
    readonly now: number;
  },
  sync: () => Promise<void>,
  warn: (warning: RunWarning) => void,
): RunCheckpoints {
  let newest = start.newest;
  let lastSaved = start.newest === null ? null : start.iteration;
  let lastSaveAt = start.now;
  let failure: Error | null = null;
  let failedBest: number | null = null;
  let confirmedBest = start.best;
  let writing: Promise<void> = Promise.resolve();
  let finished: SavedCheckpoint[] = [];

  const write = async (content: CheckpointContent, state: RunState, iteration: number, isBest: boolean) => {
    try {
      // Rows first: a checkpoint promises that the logs hold every iteration before it.
      await sync();
      const json = { ...content.json, [RUN_STATE_NAME]: encodeRunState(state) };
      newest = await folder.save(iteration, { ...content, json }, isBest);
      lastSaved = iteration;
      failure = null;
      if (isBest) confirmedBest = state.best;
      finished.push({ path: newest, iteration, isBest });
    } catch (error) {
      failure = error instanceof Error ? error : new Error(String(error));
      if (isBest) failedBest = iteration;
      const kept = newest === null ? 'There is no earlier one' : `The last whole one is \`${newest}\``;
      const message = `Checkpoint ${iteration} was not written: ${failure.message}. ${kept}`;
      warn({ kind: 'checkpoint', message, error });
      return;
    }
    await folder.retain(policy.keepCheckpoints).catch((error: unknown) => {
      const reason = error instanceof Error ? error.message : String(error);
      warn({ kind: 'checkpoint', message: `Old checkpoints were not removed: ${reason}`, error });
    });
  };

  const best = createBestHolder(async ({ content, state, iteration }) => {
    await writing;
    writing = write(content, state, iteration, true);
  });

  return {
    isDue(iteration, now) {
      const { checkpointEvery, checkpointSeconds } = policy;
      if (checkpointEvery !== null && iteration % checkpointEvery === 0) return true;
      return checkpointSeconds !== null && now - lastSaveAt >= checkpointSeconds;
    },
    isSaved: (iteration) => lastSaved === iteration,
    async save(content, state, iteration, isBest, now) {
      await best.release(iteration);
      await writing;
      lastSaveAt = now;
      writing = write(content, state, iteration, isBest);
    },
    saveBest: (content, state, iteration, now) => best.hold({ content, state, iteration }, now),
    releaseBest: () => best.release(),
    settle: () => writing,
    takeFinished() {
      const taken = finished;
      finished = [];
      return taken;
    },
    get failure() {
      return failure;
    },
    get newest() {
      return newest;
    },
    confirmBest(believed) {
      const isLost = believed !== null && believed.iteration === failedBest;
      failedBest = null;
      return isLost ? confirmedBest : believed;
    },
  };
}
