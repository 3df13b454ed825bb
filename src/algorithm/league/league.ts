/** Self-play as a run has it: snapshots in a bank of weights, whom the next rollout is played against, and how everybody stands. */
import { createHash } from 'node:crypto';
import type { StatePart } from '../../checkpoint/state-part.ts';
import { CheckpointError } from '../../errors.ts';
import type { JsonObject } from '../../json.ts';
import { openStream } from '../../random/streams.ts';
import { type GroupViews, RowField } from '../../rollout/agents/agents-layout.ts';
import { type LeaguePlan, openMenu } from '../../rollout/agents/match-menu.ts';
import type { AgentSummary, EpisodeSummary } from '../../rollout/episode-summary.ts';
import type { ObservationStatistics } from '../../weights/observation-statistics.ts';
import { openWeightBuffer, type WeightBufferLayout } from '../../weights/weight-buffer.ts';
import type { LeagueRow } from './league-row.ts';
import {
  addSnapshot,
  ageRecords,
  bookGame,
  createLeagueTable,
  dropMember,
  type League,
  leagueSchema,
  type Member,
  rateLeague,
  winRateOf,
} from './league-table.ts';
import { drawOpponent, type Matchmaking } from './matchmaking.ts';

export interface LeagueOptions extends Matchmaking {
  readonly snapshotInterval: number;
}

export interface LeagueParts {
  readonly buffer: ArrayBufferLike;
  readonly plan: LeaguePlan;
  /** Weights of past versions, one slot each; slot k is the policy `firstSlot + k`. */
  readonly bank: readonly WeightBufferLayout[];
  readonly firstSlot: number;
  /** Names of all policies by index, the bank's slots included. */
  readonly policies: readonly string[];
  readonly options: LeagueOptions;
  readonly seed: number;
}

export interface RunningLeague {
  /** Says whom episodes may be played against that begin in the next rollout: a function of the league as it is. */
  prepare(): void;
  /** Books the games of a rollout; gives its episodes back with the names of those who played. */
  absorb(episodes: readonly EpisodeSummary[]): EpisodeSummary[];
  /** Keeps the learner as it is, where that is due; not while nothing but opponents of running episodes could make room. */
  keep(
    parameters: Float32Array,
    statistics: ObservationStatistics | null,
    groups: readonly GroupViews[],
  ): void;
  rows(): LeagueRow[];
  metrics(): Record<string, number>;
  /** Index in the table of policies of a member by name; undefined = there is none. */
  policyOf(name: string): number | undefined;
  readonly names: readonly string[];
  readonly state: StatePart;
}

const WEIGHTS = 'league.safetensors';
const TABLE = 'league.json';

export function createLeague(parts: LeagueParts): RunningLeague {
  const { buffer, plan, bank, firstSlot, policies, options, seed } = parts;
  const menu = openMenu(buffer, plan);
  const slots = bank.map((layout) => openSlot(buffer, layout));
  let league = createLeagueTable(plan.anchors.map((index) => policies[index]));
  const past = () => league.members.filter(({ slot }) => slot !== null);
  const indexOf = ({ id, slot }: Member) => (slot === null ? plan.anchors[id] : firstSlot + slot);
  const memberAt = (policy: string) => {
    const index = policies.indexOf(policy);
    return league.members.find((member) => indexOf(member) === index);
  };
  return {
    prepare() {
      const candidates = past().map((member) => ({ member, winRate: winRateOf(member) }));
      const stream = openStream(seed, 'match', league.numRollouts);
      menu[0] = candidates.length === 0 ? 0 : plan.numOpponents;
      for (let k = 1; k <= menu[0]; k++)
        menu[k] = indexOf(candidates[drawOpponent(candidates, options, stream.uniform())].member);
    },
    absorb(episodes) {
      league.numRollouts += 1;
      ageRecords(league);
      for (const { agents = [] } of episodes) bookEpisode(agents, policies[plan.learner], memberAt);
      const rename = (agent: AgentSummary) => ({
        ...agent,
        policy: memberAt(agent.policy)?.name ?? agent.policy,
      });
      return episodes.map((episode) => ({ ...episode, agents: episode.agents?.map(rename) ?? [] }));
    },
    keep(parameters, statistics, groups) {
      if (league.numRollouts % options.snapshotInterval !== 0) return;
      const slot = takeSlot(league, slots.length, slotsInPlay(groups, firstSlot));
      if (slot === null) return;
      slots[slot].write(parameters, statistics);
      const name = `${policies[plan.learner]}@${league.numRollouts}`;
      const checksum = checksumOf(slots[slot].vector);
      addSnapshot(league, { name, slot, iteration: league.numRollouts, checksum });
    },
    rows: () => rowsOf(league, policies[plan.learner]),
    metrics: () => metricsOf(league),
    policyOf(name) {
      const member = league.members.find((candidate) => candidate.name === name);
      return member === undefined ? undefined : indexOf(member);
    },
    get names() {
      return league.members.map(({ name }) => name);
    },
    state: leagueState(
      () => league,
      (restored) => {
        league = restored;
      },
      slots,
    ),
  };
}

type Slot = ReturnType<typeof openSlot>;

/** Parameters, mean and inverse deviation one behind the other, as they act. */
function openSlot(buffer: ArrayBufferLike, layout: WeightBufferLayout) {
  const weights = openWeightBuffer(buffer, layout);
  const { parameterCount, observationSize } = layout;
  const vector = new Float32Array(parameterCount + 2 * observationSize); // f32
  const publish = () =>
    void weights.publish(
      vector.subarray(0, parameterCount),
      vector.subarray(parameterCount, parameterCount + observationSize),
      vector.subarray(parameterCount + observationSize),
    );
  return {
    vector,
    publish,
    write(parameters: Float32Array, statistics: ObservationStatistics | null): void {
      vector.set(parameters);
      vector.fill(0, parameterCount, parameterCount + observationSize);
      vector.fill(1, parameterCount + observationSize);
      if (statistics !== null) {
        vector.set(statistics.mean, parameterCount);
        vector.set(statistics.inverseStd, parameterCount + observationSize);
      }
      publish();
    },
  };
}

/** A game counts where the learner had one seat and one opponent all others. */
function bookEpisode(
  agents: readonly AgentSummary[],
  learner: string,
  memberAt: (policy: string) => Member | undefined,
): void {
  const own = agents.filter(({ policy }) => policy === learner);
  const others = agents.filter(({ policy }) => policy !== learner);
  if (own.length !== 1 || others.length === 0) return;
  const member = memberAt(others[0].policy);
  if (member === undefined) return;
  const mean = others.reduce((sum, { episodeReturn }) => sum + episodeReturn, 0) / others.length;
  bookGame(member, own[0].outcome ?? Math.sign(own[0].episodeReturn - mean));
}

function slotsInPlay(groups: readonly GroupViews[], firstSlot: number): Set<number> {
  const inPlay = new Set<number>();
  for (const { rowStates } of groups)
    for (let at = RowField.POLICY; at < rowStates.length; at += RowField.COUNT)
      inPlay.add(rowStates[at] - firstSlot);
  return inPlay;
}

/** A free slot, or that of the oldest past version, which leaves; null = those who could leave are in play. */
function takeSlot(league: League, numSlots: number, inPlay: ReadonlySet<number>): number | null {
  const taken = new Set(league.members.map(({ slot }) => slot));
  for (let slot = 0; slot < numSlots; slot++) if (!taken.has(slot) && !inPlay.has(slot)) return slot;
  const leaves = league.members.find(({ slot }) => slot !== null && !inPlay.has(slot));
  if (leaves === undefined) return null;
  dropMember(league, leaves.id);
  return leaves.slot;
}

function checksumOf(vector: Float32Array): string {
  const bytes = new Uint8Array(vector.buffer, vector.byteOffset, vector.byteLength);
  return createHash('sha256').update(bytes).digest('hex').slice(0, 16);
}

function rowsOf(league: League, learner: string): LeagueRow[] {
  const ratings = rateLeague(league);
  const members = league.members.map((member, k): LeagueRow => {
    const { name, slot, iteration, total, wins, draws, losses, checksum } = member;
    const kind = slot === null ? 'anchor' : 'past';
    return {
      name,
      kind,
      iteration,
      ...ratings.members[k],
      games: total.games,
      wins,
      draws,
      losses,
      checksum,
    };
  });
  const sum = (of: (row: LeagueRow) => number) => members.reduce((total, row) => total + of(row), 0);
  const own: LeagueRow = {
    ...{ name: learner, kind: 'learner', iteration: league.numRollouts, ...ratings.learner, checksum: null },
    ...{ games: sum(({ games }) => games), wins: sum(({ wins }) => wins) },
    ...{ draws: sum(({ draws }) => draws), losses: sum(({ losses }) => losses) },
  };
  return [own, ...members];
}

function metricsOf(league: League): Record<string, number> {
  const { learner } = rateLeague(league);
  const told: Record<string, number> = {
    'league/rating': learner.rating,
    'league/ratingMargin': learner.margin,
    'league/numMembers': league.members.length,
  };
  for (const [key, isOf] of [
    ['league/winRateAnchors', (slot: number | null) => slot === null],
    ['league/winRatePast', (slot: number | null) => slot !== null],
  ] as const) {
    const recent = league.members.filter(({ slot }) => isOf(slot)).map((member) => member.recent);
    const games = recent.reduce((sum, record) => sum + record.games, 0);
    if (games > 0) told[key] = recent.reduce((sum, { score }) => sum + score, 0) / games;
  }
  return told;
}

function leagueState(get: () => League, set: (league: League) => void, slots: readonly Slot[]): StatePart {
  return {
    name: 'league',
    files: [TABLE, WEIGHTS],
    getState() {
      const league = structuredClone(get());
      const kept = league.members.flatMap(({ slot }) => (slot === null ? [] : [slot]));
      const tensors = kept.map((slot) => {
        const data = slots[slot].vector.slice();
        return [`slot_${slot}`, { dtype: 'float32' as const, shape: [data.length], data }] as const;
      });
      return {
        json: { [TABLE]: league as unknown as JsonObject },
        tensors: { [WEIGHTS]: Object.fromEntries(tensors) },
      };
    },
    readState({ json, tensors }) {
      const parsed = leagueSchema.safeParse(json[TABLE]);
      if (!parsed.success) throw unusable(parsed.error.issues[0].path.join('.'));
      const league = parsed.data;
      const vectors = league.members.flatMap(({ slot, name, checksum }) => {
        if (slot === null) return [];
        const data = tensors[WEIGHTS]?.[`slot_${slot}`]?.data;
        const isWhole = data instanceof Float32Array && data.length === slots[slot]?.vector.length;
        if (!isWhole || checksumOf(Float32Array.from(data)) !== checksum)
          throw unusable(`the weights of ${name}`);
        return [{ slot, data: Float32Array.from(data) }];
      });
      return () => {
        set(league);
        for (const { slot, data } of vectors) {
          slots[slot].vector.set(data);
          slots[slot].publish();
        }
      };
    },
  };
}

function unusable(where: string): CheckpointError {
  return new CheckpointError(
    'CHECKPOINT_STATE',
    `The checkpoint's ${TABLE} is not as it was saved, or this run keeps fewer snapshots: \`${where}\`. Use an older checkpoint, or maxSnapshots as it was.`,
  );
}
