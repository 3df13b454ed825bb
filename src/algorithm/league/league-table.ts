/** The league: who is in it, who scored what against whom. Plain data and what changes it. */
import * as z from 'zod/mini';
import { countSchema } from '../../checkpoint/field-state.ts';
import { fitRatings, type PairRecord, type Rating } from './ratings.ts';

const scoreSchema = z.number().check(z.refine((value) => Number.isFinite(value) && value >= 0));
const recordSchema = z.object({ games: scoreSchema, score: scoreSchema });

const opponentFields = {
  /** Of all games with the learner: how many, and what the learner made of them. */
  total: recordSchema,
  wins: countSchema,
  draws: countSchema,
  losses: countSchema,
  /** Since the last snapshot was taken. */
  current: recordSchema,
  /** Older games count less and less. */
  recent: recordSchema,
};
const opponentSchema = z.object(opponentFields);
/** Somebody who has played against the learner. */
export type Opponent = z.infer<typeof opponentSchema>;

const memberSchema = z.object({
  /** Never used again. */
  id: countSchema,
  name: z.string(),
  /** Place in the bank of weights; null = a policy that never changes. */
  slot: z.nullable(countSchema),
  /** At whose end it was kept. */
  iteration: countSchema,
  checksum: z.nullable(z.string()),
  ...opponentFields,
});
export type Member = z.infer<typeof memberSchema>;

const exploiterSchema = z.object({
  name: z.string(),
  /** What it looks for weaknesses in: the learner as it is, or everybody who ever was. */
  kind: z.enum(['main', 'league']),
  /** How often it began anew. */
  generation: countSchema,
  /** Rollout after which it was kept last, or began. */
  since: countSchema,
  ...opponentFields,
  /** Its own games against members since then, and what it made of them; `recent` as above. */
  versus: z.array(z.object({ id: countSchema, current: recordSchema, recent: recordSchema })),
});
export type Exploiter = z.infer<typeof exploiterSchema>;

const pairSchema = z.object({
  first: countSchema,
  second: countSchema,
  games: scoreSchema,
  score: scoreSchema,
});

export const leagueSchema = z.object({
  /** Oldest first, those that never change before all others. */
  members: z.array(memberSchema),
  /** Policies that learn to beat the others, beside the learner. */
  exploiters: z._default(z.array(exploiterSchema), []),
  /** Between members, by id: a snapshot has the games that it played before it was taken. */
  pairs: z.array(pairSchema),
  nextId: countSchema,
  numRollouts: countSchema,
});
export type League = z.infer<typeof leagueSchema>;

const RECENT_DECAY = 0.9;

const emptyRecord = () => ({ games: 0, score: 0 });
const noGames = (): Opponent => ({
  ...{ total: emptyRecord(), wins: 0, draws: 0, losses: 0 },
  ...{ current: emptyRecord(), recent: emptyRecord() },
});

export function createLeagueTable(
  anchors: readonly string[],
  exploiters: readonly Pick<Exploiter, 'name' | 'kind'>[] = [],
): League {
  const members = anchors.map((name, id) => ({
    ...{ id, name, slot: null, iteration: 0, checksum: null },
    ...noGames(),
  }));
  return {
    members,
    exploiters: exploiters.map(({ name, kind }) => ({
      ...{ name, kind, generation: 0, since: 0, versus: [] },
      ...noGames(),
    })),
    pairs: [],
    nextId: anchors.length,
    numRollouts: 0,
  };
}

/** Before a rollout's games are booked. */
export function ageRecords({ members, exploiters }: League): void {
  const records = [...members, ...exploiters, ...exploiters.flatMap(({ versus }) => versus)];
  for (const { recent } of records) {
    recent.games *= RECENT_DECAY;
    recent.score *= RECENT_DECAY;
  }
}

const scoreOf = (outcome: number) => (outcome > 0 ? 1 : outcome < 0 ? 0 : 0.5);

/** @param outcome the learner's: above 0 = won, below = lost. */
export function bookGame(opponent: Opponent, outcome: number): void {
  for (const record of [opponent.total, opponent.current, opponent.recent]) {
    record.games += 1;
    record.score += scoreOf(outcome);
  }
  opponent.wins += outcome > 0 ? 1 : 0;
  opponent.draws += outcome === 0 ? 1 : 0;
  opponent.losses += outcome < 0 ? 1 : 0;
}

/** @param outcome the exploiter's. */
export function bookExploit({ versus }: Exploiter, id: number, outcome: number): void {
  let own = versus.find((record) => record.id === id);
  if (own === undefined) {
    own = { id, current: emptyRecord(), recent: emptyRecord() };
    versus.push(own);
  }
  for (const record of [own.current, own.recent]) {
    record.games += 1;
    record.score += scoreOf(outcome);
  }
}

type Kept = Pick<Member, 'name' | 'slot' | 'iteration' | 'checksum'>;

/** The learner as it is becomes a member; what it did since the last snapshot are that member's games. */
export function addSnapshot(league: League, snapshot: Kept): void {
  addMember(league, snapshot, league.members);
}

/** An exploiter as it is becomes a member, with what it did since it was kept last, or began. */
export function addExploiter(league: League, exploiter: Exploiter, snapshot: Kept): void {
  addMember(league, snapshot, exploiter.versus);
  exploiter.since = league.numRollouts;
}

/** @param played the games that become the new member's, by the other one's id. */
function addMember(league: League, kept: Kept, played: readonly Pick<Member, 'id' | 'current'>[]): void {
  const id = league.nextId++;
  for (const { id: other, current } of played) {
    if (current.games > 0) league.pairs.push({ first: id, second: other, ...current });
    Object.assign(current, emptyRecord());
  }
  league.members.push({ id, ...kept, ...noGames() });
}

/** It goes back to where it can be made from its name and generation: nothing is known of it then. */
export function beginAnew(exploiter: Exploiter): void {
  exploiter.generation += 1;
  exploiter.versus = [];
  exploiter.recent = emptyRecord();
  exploiter.current = emptyRecord();
}

export function dropMember(league: League, id: number): void {
  league.members = league.members.filter((member) => member.id !== id);
  league.pairs = league.pairs.filter(({ first, second }) => first !== id && second !== id);
  for (const exploiter of league.exploiters)
    exploiter.versus = exploiter.versus.filter((record) => record.id !== id);
}

/** Share of points made lately, as if there were one drawn game more: 0.5 where nothing is known. */
export function winRateOf({ recent }: Pick<Opponent, 'recent'>): number {
  return (recent.score + 0.5) / (recent.games + 1);
}

export interface LeagueRatings {
  readonly learner: Rating;
  /** In the order of the members. */
  readonly members: readonly Rating[];
  readonly exploiters: readonly Rating[];
}

/** The first member is the fixed point, at 1000. Those that learn are judged by their recent games. */
export function rateLeague({
  members,
  exploiters,
  pairs,
}: Pick<League, 'members' | 'exploiters' | 'pairs'>): LeagueRatings {
  const place = new Map(members.map(({ id }, k) => [id, k]));
  const at = (id: number) => place.get(id) ?? 0;
  const learner = members.length;
  const records: PairRecord[] = [
    ...pairs.map(({ first, second, games, score }) => ({
      ...{ first: at(first), second: at(second), games, score },
    })),
    ...members.map(({ recent }, second) => ({ first: learner, second, ...recent })),
    ...exploiters.flatMap(({ recent, versus }, k) => [
      { first: learner, second: learner + 1 + k, ...recent },
      ...versus.map((own) => ({ first: learner + 1 + k, second: at(own.id), ...own.recent })),
    ]),
  ];
  const ratings = fitRatings(members.length + 1 + exploiters.length, records);
  return {
    learner: ratings[learner],
    members: ratings.slice(0, learner),
    exploiters: ratings.slice(learner + 1),
  };
}
