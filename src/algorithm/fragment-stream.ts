/** Rollouts that are collected ahead of learning, as an actor-learner algorithm takes them: one after another. */
import type { Collected } from '../rollout/runner-group.ts';

/** N rows x T steps, the caller's until the next call but as many as it keeps. C = what it is, of one agent or of several. */
export type Fragment<C extends object = Collected> = C & {
  /** The weights that learn from it: published when it was asked for. */
  readonly version: number;
};

export interface FragmentStream<C extends object = Collected> {
  /** Begins an iteration of so many fragments; nothing is in flight then. */
  begin(numFragments: number): void;
  /** Publishes the learner's weights, has collected what may be collected with them, and gives the next fragment. */
  next(): Promise<Fragment<C>>;
  /** Whether a fragment of the running iteration has been collected: from then on the state is no longer that of the last one. */
  readonly hasBegun: boolean;
  /** Milliseconds that `next` waited since this was asked last. */
  takeMs(): number;
  /** Metrics of its own since they were taken last. */
  takeMetrics(): { readonly 'cluster/numFragmentsDropped'?: number };
  /** Resolves when nothing is in flight: before the runners are stopped. */
  settle(): Promise<void>;
}
