/** How a learner runs the minibatches of one update: eagerly, or as session calls of a captured graph. */
import type { RolloutViews } from '../../experience/layout.ts';
import type { UpdatePlan } from '../learner.ts';

/** Everything since `begin`. */
export interface UpdateTotals {
  /** Sums over the minibatches that were finite, in the order of `statNames`. */
  readonly sums: ArrayLike<number>; // [S]
  readonly numRun: number;
  readonly numApplied: number;
  /** Of these, those whose gradient was clipped because something was not finite. */
  readonly numClipped: number;
  /** The first minibatch that was not finite: its number since `begin` and its statistics. */
  readonly failure: { readonly minibatch: number; readonly stats: ArrayLike<number> } | null;
}

/** The flat vectors that a runner owns, all f32 [layout.size]. */
export type StateName = 'parameters' | 'm' | 'v';

/** Statistics that a loss may have at most. */
export const MAX_STATS = 64;

/** Owns parameters and moments. One update at a time: `begin`, then `runEpoch` as often as wanted, then `end`. */
export interface UpdateRunner {
  /** Names of the statistics, `loss` first and `gradNorm` last; empty before the first minibatch. */
  readonly statNames: readonly string[];
  /** Whether `readTotals` makes the device wait; if so it is called as rarely as the plan allows. */
  readonly readsAreCostly: boolean;
  /** Session calls of the current graph so far; 0 when nothing is captured. */
  readonly numSessionCalls: number;
  begin(rollout: RolloutViews, plan: UpdatePlan, numSteps: number): void;
  runEpoch(epoch: number): Promise<void>;
  readTotals(): Promise<UpdateTotals>;
  end(): void;
  /** A copy; synchronous, which WebGPU does not allow (see `fetchState`). */
  readState(name: StateName): Float32Array;
  fetchState(name: StateName): Promise<Float32Array>;
  writeState(name: StateName, values: Float32Array): void;
  dispose(): void;
}

/** Rows [start, end) of the permutation of one epoch, for each minibatch; the last one takes what is left. */
export function* minibatchRanges(plan: UpdatePlan, epoch: number): Generator<[start: number, end: number]> {
  const numSamples = plan.permutations.length / plan.numEpochs;
  const last = (epoch + 1) * numSamples;
  for (let start = epoch * numSamples; start < last; start += plan.minibatchSize) {
    yield [start, Math.min(start + plan.minibatchSize, last)];
  }
}

/** The sizes that occur: the plan's, and that of the last minibatch where it differs. */
export function minibatchSizes(plan: UpdatePlan): number[] {
  return [...new Set([...minibatchRanges(plan, 0)].map(([start, end]) => end - start))];
}
