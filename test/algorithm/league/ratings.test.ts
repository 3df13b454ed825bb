/** Ratings and matchmaking against numbers worked by hand. */
import { expect, test } from 'vitest';
import {
  addSnapshot,
  bookGame,
  createLeagueTable,
  rateLeague,
  winRateOf,
} from '../../../src/algorithm/league/league-table.ts';
import { drawOpponent, priorities } from '../../../src/algorithm/league/matchmaking.ts';
import { fitRatings } from '../../../src/algorithm/league/ratings.ts';
import { type LeaguePlan, leaguePolicyOf, opponentOf } from '../../../src/rollout/agents/match-menu.ts';

test('200 points of Elo are 0.759747 of the points; the margin is that of a binomial logit', () => {
  const games = 10_000;
  const pairs = [{ first: 1, second: 0, games, score: 0.759747 * games }];
  const [anchor, player] = fitRatings(2, pairs, { fixedPoint: 1200, priorDeviation: 1e6 });
  expect(anchor).toEqual({ rating: 1200, margin: 0 });
  expect(player.rating).toBeCloseTo(1400, 2);
  const deviation = 1 / Math.sqrt(games * 0.759747 * (1 - 0.759747));
  expect(player.margin).toBeCloseTo((1.96 * deviation * 400) / Math.LN10, 4);
});

test('ratings add up along a chain, and a round robin without contradictions is met exactly', () => {
  const odds = 10 ** (100 / 400); // 100 points
  const score = (1000 * odds) / (1 + odds);
  const twice = (1000 * odds * odds) / (1 + odds * odds);
  const pairs = [
    { first: 1, second: 0, games: 1000, score },
    { first: 2, second: 1, games: 1000, score },
    { first: 2, second: 0, games: 1000, score: twice },
  ];
  const ratings = fitRatings(3, pairs, { priorDeviation: 1e6 });
  expect(ratings.map(({ rating }) => Math.round(rating * 100) / 100)).toEqual([1000, 1100, 1200]);
});

test('who has won everything, or played nothing, has a finite rating and a margin that says so', () => {
  const [, winner, idle] = fitRatings(3, [{ first: 1, second: 0, games: 20, score: 20 }]);
  expect(winner.rating).toBeGreaterThan(1300);
  expect(winner.rating).toBeLessThan(3000);
  expect(idle).toEqual({ rating: 1000, margin: 1960 });
});

test('prioritized opponents: win rates .9, .5, .1', () => {
  const rounded = (exponent: number) =>
    priorities([0.9, 0.5, 0.1], exponent).map((p) => Number(p.toFixed(4)));
  expect(rounded(2)).toEqual([0.0093, 0.2336, 0.757]);
  expect(rounded(1)).toEqual([0.0667, 0.3333, 0.6]);
  expect(rounded(0)).toEqual([0.3333, 0.3333, 0.3333]);
  expect(priorities([1, 1], 2)).toEqual([0.5, 0.5]);
});

test('an opponent is drawn from the window with its share', () => {
  const candidates = [{ winRate: 0.5 }, { winRate: 0.9 }, { winRate: 0.5 }, { winRate: 0.1 }];
  const draw = (uniform: number, selfPlay: 'uniform' | 'prioritized', opponentWindow: number | null) =>
    drawOpponent(candidates, { selfPlay, opponentWindow, priorityExponent: 2 }, uniform);
  expect([0, 0.49, 0.5, 0.99].map((u) => draw(u, 'uniform', 2))).toEqual([2, 2, 3, 3]);
  expect([0, 0.25, 0.999].map((u) => draw(u, 'uniform', null))).toEqual([0, 1, 3]);
  // of the last three: .0093, .2336, .7570
  expect([0.009, 0.0095, 0.242, 0.244].map((u) => draw(u, 'prioritized', 3))).toEqual([1, 2, 2, 3]);
  expect(drawOpponent([], { selfPlay: 'uniform', opponentWindow: null, priorityExponent: 2 }, 0.5)).toBe(-1);
});

const PLAN: LeaguePlan = {
  ...{
    learner: 0,
    exploiters: [],
    exploiterFraction: 0.25,
    anchors: [1, 2],
    pastFraction: 0.5,
    anchorFraction: 0.25,
    menuAddress: 0,
    numOpponents: 2,
  },
};

test('an episode is against an anchor, a past version or the learner itself, by its hash alone', () => {
  const menu = Int32Array.of(2, 7, 9);
  const at = (u: number, offered = menu) => opponentOf(PLAN, offered, u * 2 ** 32);
  expect([0, 0.124, 0.126, 0.249].map((u) => at(u))).toEqual([1, 1, 2, 2]);
  expect([0.25, 0.499, 0.501, 0.749, 0.751].map((u) => at(u))).toEqual([7, 7, 9, 9, 0]);
  expect(at(0.3, Int32Array.of(0, 7, 9))).toBe(0);
  expect(opponentOf({ ...PLAN, anchorFraction: 0, pastFraction: 0 }, menu, 0)).toBe(0);
});

test('the learner has one seat of every episode, and changes it', () => {
  const menu = Int32Array.of(2, 7, 9);
  const seats = (envIndex: number, episode: number) =>
    [0, 1].map((s) => leaguePolicyOf(PLAN, menu, { seed: 3, numSeats: 2 }, s, envIndex, episode));
  for (let k = 0; k < 20; k++) {
    const home = (1 + k) % 2;
    expect(seats(1, k)[home]).toBe(0);
    expect(seats(1, k)).toEqual(seats(1, k));
  }
  const opponents = Array.from({ length: 400 }, (_, k) => seats(0, k)[(k + 1) % 2]);
  const share = (who: number[]) => opponents.filter((policy) => who.includes(policy)).length / 400;
  expect(share([1, 2])).toBeCloseTo(0.25, 1);
  expect(share([7, 9])).toBeCloseTo(0.5, 1);
});

test("a snapshot has the learner's games since the one before", () => {
  const league = createLeagueTable(['random']);
  const [random] = league.members;
  for (const outcome of [1, 1, 0, -1]) bookGame(random, outcome);
  expect(random).toMatchObject({ wins: 2, draws: 1, losses: 1, total: { games: 4, score: 2.5 } });
  expect(winRateOf(random)).toBeCloseTo(3 / 5, 12);
  addSnapshot(league, { name: 'me@10', slot: 0, iteration: 10, checksum: null });
  expect(league.pairs).toEqual([{ first: 1, second: 0, games: 4, score: 2.5 }]);
  expect(random.current).toEqual({ games: 0, score: 0 });
  const { learner, members } = rateLeague(league);
  expect(members[0].rating).toBe(1000);
  expect(members[1].rating).toBeCloseTo(learner.rating, 6); // the same games
});
