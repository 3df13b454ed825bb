/** What learning threads do with a phase, whatever is learnt: work on it, wait for the next one, clip its gradient. */
import { GRADIENT_BOUND } from '../learner.ts';
import { type ControlViews, claimItem, kindOf, Word } from './control.ts';

export interface WorkingThread {
  readonly threadIndex: number;
  readonly control: ControlViews;
}

/**
 * Claims and computes what is left of a phase. Each thread begins at its own share, so that with equal threads everyone
 * keeps to its own items (and its caches), and goes on to help with the others'.
 *
 * @param runItem computes a claimed item and, when it was the last, opens the next phase.
 */
export function workOnPhase<Thread extends WorkingThread>(
  thread: Thread,
  phase: number,
  runItem: (thread: Thread, item: number, phase: number) => void,
): void {
  const { words } = thread.control;
  if (kindOf(words, phase) < 0) return;
  const numItems = Atomics.load(words, Word.NUM_ITEMS);
  const numThreads = words[Word.NUM_THREADS];
  const first = Math.floor((thread.threadIndex * numItems) / numThreads) % Math.max(1, numItems);
  for (let k = 0; k < numItems; k++) {
    const item = first + k < numItems ? first + k : first + k - numItems;
    if (!claimItem(words, item, phase, thread.threadIndex)) continue;
    // a claim made after the phase ended belongs to nothing: the next phase's claims are newer and ignore it
    if (Atomics.load(words, Word.PHASE) !== phase) return;
    runItem(thread, item, phase);
  }
}

const SPINS = 20_000; // about 0.1 ms: longer than a phase's imbalance, shorter than it costs to be woken

/** Waits until the phase is another, at most `timeoutMs`; true when it is. */
export function waitForPhase(words: Int32Array, phase: number, timeoutMs: number): boolean {
  for (let k = 0; k < SPINS; k++) {
    if (Atomics.load(words, Word.PHASE) !== phase) return true;
  }
  const deadline = performance.now() + timeoutMs;
  while (Atomics.load(words, Word.PHASE) === phase) {
    const left = deadline - performance.now();
    if (left <= 0) return false;
    Atomics.wait(words, Word.PHASE, phase, left);
  }
  return true;
}

/** NaN becomes 0, everything else at most +-1e6, in place. @returns the norm of what is left. */
export function clipGradient(gradient: Float32Array): number {
  let squares = 0;
  for (let k = 0; k < gradient.length; k++) {
    const g = gradient[k];
    const clipped = Number.isNaN(g) ? 0 : Math.max(-GRADIENT_BOUND, Math.min(GRADIENT_BOUND, g));
    gradient[k] = clipped;
    squares += clipped * clipped;
  }
  return Math.sqrt(squares);
}
