/** Who may act for a seat, and who does: plain data, posted to every worker. */
import type { ActingSpec, PolicySpec } from '../../policy/policy-spec.ts';
import type { WeightBufferLayout } from '../../weights/weight-buffer.ts';

/** A central critic: `spec.observationSize` numbers of `GroupViews.criticInputs` in, one value out. */
export interface CriticPlan {
  readonly spec: PolicySpec;
  readonly weights: WeightBufferLayout;
}

/** A policy of the table; others know it by its index. */
export interface PolicyPlan {
  readonly name: string;
  /** Group of seats that it may act for. */
  readonly group: number;
  /** Sizes and, for `network`, what it is. */
  readonly spec: ActingSpec;
  readonly acts:
    | { readonly kind: 'network'; readonly weights: WeightBufferLayout; readonly critic: CriticPlan | null }
    /** A network that is kept: its weights change between rollouts alone, and all of its kind act in the same scratch. */
    | { readonly kind: 'past'; readonly weights: WeightBufferLayout }
    /** Uniform over the allowed actions, or within the bounds. */
    | { readonly kind: 'random' }
    /** A function `(observation, { agent, actionMask, random }) => action` of a module. */
    | { readonly kind: 'module'; readonly module: string; readonly export: string };
}

/**
 * Policy of a seat in an episode: the list's entry number (environment's index + number of its episode) mod length, so that lists of two
 * swap seats from one episode to the next, and from one environment to the next. Indices into the table. [S][...]
 */
export type SeatAssignment = readonly (readonly number[])[];

export function policyOfSeat(
  assignment: SeatAssignment,
  s: number,
  envIndex: number,
  episodeNumber: number,
): number {
  const choices = assignment[s];
  return choices[(envIndex + episodeNumber) % choices.length];
}
