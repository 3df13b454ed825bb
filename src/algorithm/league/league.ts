/** Self-play as a run has it: snapshots in a bank of weights, whom the next rollout is played against, and how everybody stands. */
import type { StatePart } from '../../checkpoint/state-part.ts';
import { openStream } from '../../random/streams.ts';
import type { GroupViews } from '../../rollout/agents/agents-layout.ts';
import { type LeaguePlan, openMenu } from '../../rollout/agents/match-menu.ts';
import type { AgentSummary, EpisodeSummary } from '../../rollout/episode-summary.ts';
import type { ObservationStatistics } from '../../weights/observation-statistics.ts';
import type { WeightBufferLayout } from '../../weights/weight-buffer.ts';
import { drawVictim, type ExploiterRules, isToBeginAnew, isToBeKept } from './exploiters.ts';
import { metricsOf, rowsOf } from './league-report.ts';
import type { LeagueRow } from './league-row.ts';
import { leagueState } from './league-state.ts';
import {
  addExploiter,
  addSnapshot,
  ageRecords,
  beginAnew,
  bookExploit,
  bookGame,
  createLeagueTable,
  type Exploiter,
  type League,
  type Member,
  winRateOf,
} from './league-table.ts';
import { drawOpponent, type Matchmaking } from './matchmaking.ts';
import { checksumOf, openSlot, slotsInPlay, takeSlot } from './weight-bank.ts';

export interface LeagueOptions extends Matchmaking, ExploiterRules {}

export interface LeagueParts {
  readonly buffer: ArrayBufferLike;
  readonly plan: LeaguePlan;
  /** Weights of past versions, one slot each; slot k is the policy `firstSlot + k`. */
  readonly bank: readonly WeightBufferLayout[];
  readonly firstSlot: number;
  /** Names of all policies by index, the bank's slots included. */
  readonly policies: readonly string[];
  /** In the order of `plan.exploiters`. */
  readonly exploiters: readonly Pick<Exploiter, 'name' | 'kind'>[];
  readonly options: LeagueOptions;
  readonly seed: number;
}

/** Weights that a policy acts with. */
export interface ActingWeights {
  readonly parameters: Float32Array;
  readonly statistics: ObservationStatistics | null;
}

/** An exploiter that is to begin its `generation`, counted from 0. */
export interface NewGeneration {
  readonly policy: string;
  readonly generation: number;
}

export interface RunningLeague {
  /** Name of the policy that the league is for. */
  readonly learner: string;
  /** Names of those that learn to beat it, or the league. */
  readonly exploiters: readonly string[];
  /** Says whom episodes may be played against that begin in the next rollout: a function of the league as it is. */
  prepare(): void;
  /** Books the games of a rollout; gives its episodes back with the names of those who played. */
  absorb(episodes: readonly EpisodeSummary[]): EpisodeSummary[];
  /**
   * Keeps the learner and exploiters as they are, where that is due; not while nothing but opponents of running episodes could make room.
   *
   * @returns exploiters that are to begin anew.
   */
  keep(weightsOf: (policy: string) => ActingWeights, groups: readonly GroupViews[]): NewGeneration[];
  rows(): LeagueRow[];
  metrics(): Record<string, number>;
  /** Index in the table of policies of a member by name; undefined = there is none. */
  policyOf(name: string): number | undefined;
  readonly names: readonly string[];
  readonly state: StatePart;
}

export function createLeague(parts: LeagueParts): RunningLeague {
  const { buffer, plan, bank, firstSlot, policies, options, seed } = parts;
  const learner = policies[plan.learner];
  const slots = bank.map((layout) => openSlot(buffer, layout));
  const menu = openMenu(buffer, plan);
  let league = createLeagueTable(
    plan.anchors.map((index) => policies[index]),
    parts.exploiters,
  );
  const indexOf = ({ id, slot }: Member) => (slot === null ? plan.anchors[id] : firstSlot + slot);
  const memberAt = (policy: string) => {
    const index = policies.indexOf(policy);
    return league.members.find((member) => indexOf(member) === index);
  };
  return {
    learner,
    exploiters: parts.exploiters.map(({ name }) => name),
    prepare: () => writeMenus(parts, league, menu, indexOf),
    absorb(episodes) {
      league.numRollouts += 1;
      ageRecords(league);
      for (const { agents = [] } of episodes) bookEpisode(agents, league, learner, memberAt);
      const rename = (agent: AgentSummary) => ({
        ...agent,
        policy: memberAt(agent.policy)?.name ?? agent.policy,
      });
      return episodes.map((episode) => ({ ...episode, agents: episode.agents?.map(rename) ?? [] }));
    },
    keep(weightsOf, groups) {
      /** null = there is no room now. */
      const store = (policy: string) => {
        const slot = takeSlot(league, slots.length, slotsInPlay(groups, firstSlot));
        if (slot === null) return null;
        const { parameters, statistics } = weightsOf(policy);
        slots[slot].write(parameters, statistics);
        const name = `${policy}@${league.numRollouts}`;
        return { name, slot, iteration: league.numRollouts, checksum: checksumOf(slots[slot].vector) };
      };
      const isDue = league.numRollouts % options.snapshotInterval === 0;
      const snapshot = isDue ? store(learner) : null;
      if (snapshot !== null) addSnapshot(league, snapshot);
      return keepExploiters(league, options, seed, store);
    },
    rows: () => rowsOf(league, learner),
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

/** Offers opponents to the learner's episodes, and to each exploiter's. */
function writeMenus(
  { plan, options, seed, policies }: LeagueParts,
  league: League,
  menu: Int32Array,
  indexOf: (member: Member) => number,
): void {
  const past = league.members.filter(({ slot }) => slot !== null);
  const candidates = past.map((member) => ({ member, winRate: winRateOf(member) }));
  const stream = openStream(seed, 'match', league.numRollouts);
  menu[0] = candidates.length === 0 ? 0 : plan.numOpponents;
  for (let k = 1; k <= menu[0]; k++)
    menu[k] = indexOf(candidates[drawOpponent(candidates, options, stream.uniform())].member);
  for (const [x, exploiter] of league.exploiters.entries()) {
    const own = openStream(seed, 'exploit', exploiter.name, league.numRollouts);
    const first = (1 + x) * (1 + plan.numOpponents);
    menu[first] = plan.numOpponents;
    for (let k = 1; k <= plan.numOpponents; k++) {
      const victim = drawVictim(league, exploiter, policies[plan.learner], own.uniform());
      menu[first + k] = victim === null ? plan.learner : indexOf(victim);
    }
  }
}

/** A game counts where the learner, or an exploiter, had one seat and one opponent all others. */
function bookEpisode(
  agents: readonly AgentSummary[],
  { exploiters }: League,
  learner: string,
  memberAt: (policy: string) => Member | undefined,
): void {
  const seatsOf = (name: string) => agents.filter(({ policy }) => policy === name);
  const exploiter = exploiters.find(({ name }) => seatsOf(name).length === 1);
  const own = seatsOf(exploiter?.name ?? learner);
  const others = agents.filter(({ policy }) => policy !== own[0]?.policy);
  if (own.length !== 1 || others.length === 0) return;
  const mean = others.reduce((sum, { episodeReturn }) => sum + episodeReturn, 0) / others.length;
  const outcome = own[0].outcome ?? Math.sign(own[0].episodeReturn - mean);
  if (exploiter !== undefined && others[0].policy === learner) {
    bookGame(exploiter, -outcome);
    return;
  }
  const member = memberAt(others[0].policy);
  if (member === undefined) return;
  if (exploiter === undefined) bookGame(member, outcome);
  else bookExploit(exploiter, member.id, outcome);
}

function keepExploiters(
  league: League,
  options: LeagueOptions,
  seed: number,
  store: (policy: string) => Pick<Member, 'name' | 'slot' | 'iteration' | 'checksum'> | null,
): NewGeneration[] {
  return league.exploiters.flatMap((exploiter) => {
    if (!isToBeKept(league, exploiter, options)) return [];
    const snapshot = store(exploiter.name);
    if (snapshot === null) return [];
    addExploiter(league, exploiter, snapshot);
    const stream = openStream(seed, 'begin-anew', exploiter.name, league.numRollouts);
    if (!isToBeginAnew(exploiter, stream.uniform())) return [];
    beginAnew(exploiter);
    return [{ policy: exploiter.name, generation: exploiter.generation }];
  });
}
