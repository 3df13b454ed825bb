/**
 * The control words: how the main thread drives its rollout workers.
 *
 * Each worker has one cache line of int32 words. The main thread writes the command and its arguments, then raises
 * SEQUENCE and notifies; the worker obeys and stores the same number into DONE. Both only grow, so a late
 * notification wakes a waiter that finds nothing to do and waits again. Between DONE and the next SEQUENCE the
 * worker touches nothing, and the main thread (or the learner) owns the block set; in between the worker owns its rows.
 */
import type { ArenaPlanner } from '../memory/arena.ts';

export const Word = {
  SEQUENCE: 0,
  COMMAND: 1,
  ARGUMENT_0: 2,
  ARGUMENT_1: 3,
  DONE: 4,
  /** 1 once the worker waits for its first command. */
  READY: 5,
  /** 1 when a message with the reason has been posted and the worker has left its loop. */
  FAILED: 6,
  /** 1 when the command that was just done also posted a message. */
  POSTED: 7,
  /** Counts vector steps: a worker whose count moves is alive, however long its command takes. */
  PROGRESS: 8,
  /** Written by the main thread: 1 = an evaluation ends at its next step. */
  CUT: 9,
} as const;

export const Command = {
  /** Collect a whole rollout with the policy of ARGUMENT_1 into block set ARGUMENT_0. */
  COLLECT: 1,
  /** Central inference: begin block set ARGUMENT_0 (current observations into column t = 0). */
  BEGIN: 2,
  /** Central inference: step t = ARGUMENT_1 of block set ARGUMENT_0 with the actions that lie there. */
  STEP: 3,
  /** Central inference: finish block set ARGUMENT_0 for policy version ARGUMENT_1. */
  FINISH: 4,
  /** Take part in the learner's job until it is done. */
  LEARN: 5,
  /** Post the environments' states. */
  GET_STATE: 6,
  /** Play the evaluation episodes that were posted, and post what came of them. */
  PLAY: 7,
  STOP: 8,
  /** To the thread that stands by: take the place of the worker whose assignment was posted. */
  ASSIGN: 9,
  /** Episodes that begin from now on have the options that were posted. */
  SET_OPTIONS: 10,
} as const;

export type CommandCode = (typeof Command)[keyof typeof Command];

const WORDS_PER_WORKER = 16; // one cache line
const IDLE_WAIT_MS = 1000;

export interface ControlRegion {
  readonly offset: number;
  readonly numWorkers: number;
}

export function reserveControlWords(planner: ArenaPlanner, numWorkers: number): ControlRegion {
  const numThreads = numWorkers + 1; // the last one stands by
  return { offset: planner.reserve(numThreads * WORDS_PER_WORKER * 4).offset, numWorkers };
}

/** The words of one worker; worker `region.numWorkers` is the one that stands by. i32 [16] */
export function openControlWords(
  buffer: ArrayBufferLike,
  region: ControlRegion,
  workerIndex: number,
): Int32Array<SharedArrayBuffer> {
  const offset = region.offset + workerIndex * WORDS_PER_WORKER * 4;
  return new Int32Array(buffer as SharedArrayBuffer, offset, WORDS_PER_WORKER);
}

/** Main thread: gives a command; returns its sequence number. */
export function giveCommand(
  words: Int32Array<SharedArrayBuffer>,
  command: CommandCode,
  argument0 = 0,
  argument1 = 0,
): number {
  Atomics.store(words, Word.COMMAND, command);
  Atomics.store(words, Word.ARGUMENT_0, argument0);
  Atomics.store(words, Word.ARGUMENT_1, argument1);
  const sequence = Atomics.add(words, Word.SEQUENCE, 1) + 1;
  Atomics.notify(words, Word.SEQUENCE);
  return sequence;
}

/** Worker thread: blocks until a command newer than `seen` has been given; returns its sequence number. */
export function waitForCommand(words: Int32Array<SharedArrayBuffer>, seen: number): number {
  let sequence = Atomics.load(words, Word.SEQUENCE);
  while (sequence === seen) {
    Atomics.wait(words, Word.SEQUENCE, seen, IDLE_WAIT_MS);
    sequence = Atomics.load(words, Word.SEQUENCE);
  }
  return sequence;
}

/** The same without blocking the thread: while it waits, its event loop turns. */
export async function awaitCommand(words: Int32Array<SharedArrayBuffer>, seen: number): Promise<number> {
  const alive = setInterval(() => undefined, IDLE_WAIT_MS); // the wait alone would not keep the thread
  try {
    for (;;) {
      const sequence = Atomics.load(words, Word.SEQUENCE);
      if (sequence !== seen) return sequence;
      const wait = Atomics.waitAsync(words, Word.SEQUENCE, seen, IDLE_WAIT_MS);
      if (wait.async) await wait.value;
    }
  } finally {
    clearInterval(alive);
  }
}

/** Worker thread: reports that command `sequence` is done. */
export function reportDone(words: Int32Array<SharedArrayBuffer>, sequence: number): void {
  Atomics.store(words, Word.DONE, sequence);
  Atomics.notify(words, Word.DONE);
}

/**
 * Main thread: resolves when `word` holds at least `target`, without blocking the event loop.
 *
 * @param deadlineMs how long to wait at most.
 * @returns false when the deadline passed, or as soon as `isAbandoned()` says that nobody will answer any more.
 */
export async function waitUntilAtLeast(
  words: Int32Array<SharedArrayBuffer>,
  word: number,
  target: number,
  deadlineMs: number,
  isAbandoned: () => boolean,
): Promise<boolean> {
  const end = performance.now() + deadlineMs;
  for (;;) {
    const value = Atomics.load(words, word);
    if (value >= target) return true;
    const left = end - performance.now();
    if (left <= 0 || isAbandoned()) return false;
    const wait = Atomics.waitAsync(words, word, value, Math.min(left, IDLE_WAIT_MS));
    if (wait.async) await wait.value;
  }
}
