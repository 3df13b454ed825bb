/** How a learner runs the minibatches of one update: eagerly, or as session calls of a captured graph. */
import type { RolloutViews } from '../../rollout/layout.ts';
import type { UpdatePlan } from '../learner.ts';

/** Everything since `begin`. */
export interface UpdateTotals {
  /** Sums over the minibatches whose step was applied, in the order of `statNames`. */
  readonly sums: ArrayLike<number>; // [S]
  readonly numRun: number;
  readonly numApplied: number;
  /** The first minibatch that was not finite: its number since `begin` and its statistics. */
  readonly failure: { readonly minibatch: number; readonly stats: ArrayLike<number> } | null;
}

/** One update at a time: `begin`, then `runEpoch` as often as wanted, then `end`. */
export interface UpdateRunner {
  /** Names of the statistics, `loss` first and `gradNorm` last; empty before the first minibatch. */
  readonly statNames: readonly string[];
  /** Whether `readTotals` makes the device wait; if so it is called as rarely as the plan allows. */
  readonly readsAreCostly: boolean;
  begin(rollout: RolloutViews, plan: UpdatePlan, numSteps: number): void;
  runEpoch(epoch: number): Promise<void>;
  readTotals(): Promise<UpdateTotals>;
  end(): void;
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
