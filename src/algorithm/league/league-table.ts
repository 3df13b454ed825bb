/** The league: who is in it, who scored what against whom. Plain data and what changes it. */
import * as z from 'zod/mini';
import { countSchema } from '../../checkpoint/field-state.ts';
import { fitRatings, type PairRecord, type Rating } from './ratings.ts';

const scoreSchema = z.number().check(z.refine((value) => Number.isFinite(value) && value >= 0));
const recordSchema = z.object({ games: scoreSchema, score: scoreSchema });

const memberSchema = z.object({
  /** Never used again. */
  id: countSchema,
  name: z.string(),
  /** Place in the bank of weights; null = a policy that never changes. */
  slot: z.nullable(countSchema),
  /** At whose end it was kept. */
  iteration: countSchema,
  checksum: z.nullable(z.string()),
  /** Of all games with the learner: how many, and what the learner made of them. */
  total: recordSchema,
  wins: countSchema,
  draws: countSchema,
  losses: countSchema,
  /** Since the last snapshot was taken. */
  current: recordSchema,
  /** Older games count less and less. */
  recent: recordSchema,
});
export type Member = z.infer<typeof memberSchema>;

const pairSchema = z.object({
  first: countSchema,
  second: countSchema,
  games: scoreSchema,
  score: scoreSchema,
});

export const leagueSchema = z.object({
  /** Oldest first, those that never change before all others. */
  members: z.array(memberSchema),
  /** Between members, by id: a snapshot has the games that the learner played before it was taken. */
  pairs: z.array(pairSchema),
  nextId: countSchema,
  numRollouts: countSchema,
});
export type League = z.infer<typeof leagueSchema>;

const RECENT_DECAY = 0.9;

export function createLeagueTable(anchors: readonly string[]): League {
  const members = anchors.map((name, id) =>
    newMember({ id, name, slot: null, iteration: 0, checksum: null }),
  );
  return { members, pairs: [], nextId: anchors.length, numRollouts: 0 };
}

function newMember(member: Pick<Member, 'id' | 'name' | 'slot' | 'iteration' | 'checksum'>): Member {
  const record = () => ({ games: 0, score: 0 });
  return { ...member, total: record(), wins: 0, draws: 0, losses: 0, current: record(), recent: record() };
}

/** Before a rollout's games are booked. */
export function ageRecords({ members }: League): void {
  for (const { recent } of members) {
    recent.games *= RECENT_DECAY;
    recent.score *= RECENT_DECAY;
  }
}

/** @param outcome the learner's: above 0 = won, below = lost. */
export function bookGame(member: Member, outcome: number): void {
  const score = outcome > 0 ? 1 : outcome < 0 ? 0 : 0.5;
  for (const record of [member.total, member.current, member.recent]) {
    record.games += 1;
    record.score += score;
  }
  member.wins += outcome > 0 ? 1 : 0;
  member.draws += outcome === 0 ? 1 : 0;
  member.losses += outcome < 0 ? 1 : 0;
}

/** The learner as it is becomes a member; what it did since the last snapshot are that member's games. */
export function addSnapshot(
  league: League,
  snapshot: Pick<Member, 'name' | 'slot' | 'iteration' | 'checksum'>,
): void {
  const id = league.nextId++;
  for (const { id: other, current } of league.members) {
    if (current.games > 0) league.pairs.push({ first: id, second: other, ...current });
    Object.assign(current, { games: 0, score: 0 });
  }
  league.members.push(newMember({ id, ...snapshot }));
}

export function dropMember(league: League, id: number): void {
  league.members = league.members.filter((member) => member.id !== id);
  league.pairs = league.pairs.filter(({ first, second }) => first !== id && second !== id);
}

/** Share of points that the learner made lately, as if there were one drawn game more: 0.5 where nothing is known. */
export function winRateOf({ recent }: Pick<Member, 'recent'>): number {
  return (recent.score + 0.5) / (recent.games + 1);
}

export interface LeagueRatings {
  readonly learner: Rating;
  /** In the order of the members. */
  readonly members: readonly Rating[];
}

/** The first member is the fixed point, at 1000. The learner is judged by its recent games. */
export function rateLeague({ members, pairs }: Pick<League, 'members' | 'pairs'>): LeagueRatings {
  const place = new Map(members.map(({ id }, k) => [id, k]));
  const learner = members.length;
  const records: PairRecord[] = [
    ...pairs.map(({ first, second, games, score }) => ({
      ...{ first: place.get(first) ?? 0, second: place.get(second) ?? 0, games, score },
    })),
    ...members.map(({ recent }, second) => ({ first: learner, second, ...recent })),
  ];
  const ratings = fitRatings(members.length + 1, records);
  return { learner: ratings[learner], members: ratings.slice(0, learner) };
}
