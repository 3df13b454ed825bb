/** Who an episode of self-play is played against: a pure function of what the main thread offers for a rollout, and a hash. */
import type { ArenaPlanner } from '../../memory/arena.ts';
import { episodeSeed } from '../../random/streams.ts';

/** Plain data, posted to every worker. Numbers are indices in the table of policies. */
export interface LeaguePlan {
  /** Plays one seat of every episode, or all of them. */
  readonly learner: number;
  /** Policies that never change. */
  readonly anchors: readonly number[];
  readonly pastFraction: number;
  readonly anchorFraction: number;
  /** Byte address of the menu: how many opponents, then these. Written by the main thread before a rollout. */
  readonly menuAddress: number; // i32 [1 + numOpponents]
  readonly numOpponents: number;
}

export function reserveMenu(planner: ArenaPlanner, numOpponents: number): number {
  return planner.reserve(4 * (1 + numOpponents)).offset;
}

/** i32 [1 + numOpponents] */
export function openMenu(
  buffer: ArrayBufferLike,
  { menuAddress, numOpponents }: Pick<LeaguePlan, 'menuAddress' | 'numOpponents'>,
): Int32Array {
  return new Int32Array(buffer, menuAddress, 1 + numOpponents);
}

/** @returns the policy that plays the learner's opponents; the learner itself where it plays all seats. */
export function opponentOf(plan: LeaguePlan, menu: Int32Array, hash: number): number {
  const { anchors, anchorFraction, pastFraction, learner } = plan;
  const u = hash / 2 ** 32;
  const choose = (list: ArrayLike<number>, first: number, count: number, place: number) =>
    list[first + Math.min(count - 1, Math.floor(place * count))];
  if (u < anchorFraction) return choose(anchors, 0, anchors.length, u / anchorFraction);
  const v = u - anchorFraction;
  if (v >= pastFraction || menu[0] === 0) return learner;
  return choose(menu, 1, menu[0], v / pastFraction);
}

/**
 * Policy of a seat in an episode. The learner's seat moves on from one episode to the next, and from one environment to the next.
 *
 * @returns index in the table of policies.
 */
export function leaguePolicyOf(
  plan: LeaguePlan,
  menu: Int32Array,
  { seed, numSeats }: { readonly seed: number; readonly numSeats: number },
  s: number,
  envIndex: number,
  episodeNumber: number,
): number {
  if (s === (envIndex + episodeNumber) % numSeats) return plan.learner;
  return opponentOf(plan, menu, episodeSeed(seed, envIndex, episodeNumber, 'match'));
}
