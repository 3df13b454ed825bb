/** Who an episode of self-play is played against: a pure function of what the main thread offers for a rollout, and a hash. */
import type { ArenaPlanner } from '../../memory/arena.ts';
import { episodeSeed } from '../../random/streams.ts';

/** Plain data, posted to every worker. Numbers are indices in the table of policies. */
export interface LeaguePlan {
  /** Plays one seat of every episode that is no exploiter's, or all of them. */
  readonly learner: number;
  /** Policies that learn to beat the others: each plays one seat of its share of the episodes. */
  readonly exploiters: readonly number[];
  /** Share of episodes that are exploiters'. */
  readonly exploiterFraction: number;
  /** Policies that never change. */
  readonly anchors: readonly number[];
  readonly pastFraction: number;
  readonly anchorFraction: number;
  /** Byte address of the menus, the learner's and then each exploiter's: how many opponents, then these. Written by the main thread before a rollout. */
  readonly menuAddress: number; // i32 [1 + numExploiters, 1 + numOpponents]
  readonly numOpponents: number;
}

export function reserveMenu(planner: ArenaPlanner, numOpponents: number, numExploiters: number): number {
  return planner.reserve(4 * (1 + numExploiters) * (1 + numOpponents)).offset;
}

/** i32 [1 + numExploiters, 1 + numOpponents], flat */
export function openMenu(
  buffer: ArrayBufferLike,
  { menuAddress, numOpponents, exploiters }: Pick<LeaguePlan, 'menuAddress' | 'numOpponents' | 'exploiters'>,
): Int32Array {
  return new Int32Array(buffer, menuAddress, (1 + exploiters.length) * (1 + numOpponents));
}

/** Whose episode it is: an index of `exploiters`; -1 = the learner's. */
export function homeOf({ exploiters, exploiterFraction }: LeaguePlan, hash: number): number {
  const u = hash / 2 ** 32;
  if (exploiters.length === 0 || u >= exploiterFraction) return -1;
  return Math.min(exploiters.length - 1, Math.floor((u / exploiterFraction) * exploiters.length));
}

/** @returns the policy that exploiter x meets. */
export function victimOf({ numOpponents, learner }: LeaguePlan, menu: Int32Array, x: number, hash: number) {
  const first = (1 + x) * (1 + numOpponents);
  const count = menu[first];
  if (count === 0) return learner;
  return menu[first + 1 + Math.min(count - 1, Math.floor((hash / 2 ** 32) * count))];
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
 * Policy of a seat in an episode. The learner's seat, or the exploiter's whose episode it is, moves on from one episode to the next, and from one environment to the next.
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
  const x = homeOf(plan, episodeSeed(seed, envIndex, episodeNumber, 'home'));
  const isHome = s === (envIndex + episodeNumber) % numSeats;
  if (isHome) return x < 0 ? plan.learner : plan.exploiters[x];
  const hash = episodeSeed(seed, envIndex, episodeNumber, 'match');
  return x < 0 ? opponentOf(plan, menu, hash) : victimOf(plan, menu, x, hash);
}
