/** What a league tells: its table, and its metrics. */
import type { LeagueRow } from './league-row.ts';
import { type League, type Opponent, rateLeague } from './league-table.ts';
import type { Rating } from './ratings.ts';

/** The learner, exploiters, those that never change, past versions, oldest first. */
export function rowsOf(league: League, learner: string): LeagueRow[] {
  const ratings = rateLeague(league);
  const rowOf = (
    of: Opponent & { readonly name: string },
    rating: Rating,
    told: Pick<LeagueRow, 'kind' | 'iteration' | 'checksum'>,
  ): LeagueRow => {
    const { name, total, wins, draws, losses } = of;
    return { name, ...told, ...rating, games: total.games, wins, draws, losses };
  };
  const exploiters = league.exploiters.map((exploiter, k) =>
    rowOf(exploiter, ratings.exploiters[k], {
      ...{ kind: 'exploiter', iteration: exploiter.since, checksum: null },
    }),
  );
  const members = league.members.map((member, k) => {
    const { slot, iteration, checksum } = member;
    const kind = slot === null ? 'anchor' : 'past';
    return rowOf(member, ratings.members[k], { kind, iteration, checksum });
  });
  const others = [...exploiters, ...members];
  const sum = (of: (row: LeagueRow) => number) => others.reduce((total, row) => total + of(row), 0);
  const own: LeagueRow = {
    ...{ name: learner, kind: 'learner', iteration: league.numRollouts, ...ratings.learner, checksum: null },
    ...{ games: sum(({ games }) => games), wins: sum(({ wins }) => wins) },
    ...{ draws: sum(({ draws }) => draws), losses: sum(({ losses }) => losses) },
  };
  return [own, ...others];
}

export function metricsOf(league: League): Record<string, number> {
  const { learner } = rateLeague(league);
  const told: Record<string, number> = {
    'league/rating': learner.rating,
    'league/ratingMargin': learner.margin,
    'league/numMembers': league.members.length,
  };
  const tellRate = (key: string, opponents: readonly Opponent[]) => {
    const games = opponents.reduce((sum, { recent }) => sum + recent.games, 0);
    if (games > 0) told[key] = opponents.reduce((sum, { recent }) => sum + recent.score, 0) / games;
  };
  tellRate(
    'league/winRateAnchors',
    league.members.filter(({ slot }) => slot === null),
  );
  tellRate(
    'league/winRatePast',
    league.members.filter(({ slot }) => slot !== null),
  );
  if (league.exploiters.length === 0) return told;
  tellRate('league/winRateExploiters', league.exploiters);
  const generations = league.exploiters.reduce((sum, { generation }) => sum + generation, 0);
  return { ...told, 'league/exploiterResets': generations };
}
