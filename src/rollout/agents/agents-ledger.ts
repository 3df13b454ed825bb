/** The main thread's book of running episodes of several agents, kept from what rollouts say: enough to replay every one of them. */
import type { JsonObject, JsonValue } from '../../json.ts';
import type { AgentSummary, EpisodeSummary } from '../episode-summary.ts';
import type { RowState } from '../row-states.ts';
import { type GroupViews, openEnvColumns, openGroup, RowField } from './agents-layout.ts';
import type { AgentsPlan, SeatState } from './agents-plan.ts';

interface RunningEpisode {
  number: number;
  numSteps: number;
  readonly returns: Float64Array; // [S] f64
  envState: JsonValue;
  /** null = options never change. */
  envOptions: JsonObject | null;
  /** Since `envState`, [steps, A] */
  actions: number[];
  /** What the last rollout left its rows with: a copy, or the block set that it still lies in. */
  lastRows: EnvRows | number;
}

/** Rows of an environment between two rollouts. */
type EnvRows = Pick<RowState, 'observation' | 'agents'>;

const NOTHING_YET: EnvRows = { observation: null };

/** An episode that ended at step t of a rollout. */
export interface EndedEpisode {
  readonly t: number;
  readonly summary: EpisodeSummary;
}

/** In the order (t, environment), whoever collected them. */
export function inOrder(ended: readonly EndedEpisode[]): EpisodeSummary[] {
  const sorted = [...ended].sort((a, b) => a.t - b.t || a.summary.envIndex - b.summary.envIndex);
  return sorted.map(({ summary }) => summary);
}

export interface AgentsLedger {
  /** Environments [first, first + count) are about to be written into block set `set`: what of theirs still lies there is copied. */
  beforeWriting(set: number, first: number, count: number): void;
  /** Books environments [first, first + count) of the finished rollout of block set `set`; returns the episodes that ended in it, environment by environment. */
  absorbEnvs(set: number, first: number, count: number): EndedEpisode[];
  /** States of environments [first, first + count) after the last rollout, as actions to repeat. Copies. */
  rowStates(first: number, count: number): RowState[];
  setRowStates(states: readonly RowState[]): void;
  /** What environments gave just now as their states; null = not this one. The actions up to there are no longer needed. */
  adoptEnvStates(envStates: readonly JsonValue[]): void;
  /** Environments that had to begin their running episode again. */
  restartRows(rows: readonly number[]): void;
  /** What episodes begin with from now on; null = options never change. */
  readonly nextOptions: JsonObject | null;
  setNextOptions(options: JsonObject): void;
}

/**
 * @param learns by policy: whose returns count as the episode's.
 * @param envOptions of the first episodes, laid over the environment's; null = options never change.
 */
export function createAgentsLedger(
  buffer: ArrayBufferLike,
  { layout, policies }: AgentsPlan,
  learns: readonly boolean[],
  envOptions: JsonObject | null = null,
): AgentsLedger {
  const { numEnvs, seats } = layout;
  const readRows = createRowReader(buffer, layout);
  const episodes: RunningEpisode[] = Array.from({ length: numEnvs }, () => ({
    number: 0,
    numSteps: 0,
    returns: new Float64Array(seats.names.length),
    envState: null,
    envOptions,
    actions: [],
    lastRows: NOTHING_YET,
  }));
  let nextOptions = envOptions;
  const book = createBooking(buffer, layout, createSummary(seats.names, policies, learns));
  return {
    beforeWriting(set, first, count) {
      for (let n = first; n < first + count; n++)
        if (episodes[n].lastRows === set) episodes[n].lastRows = readRows(set, n);
    },
    absorbEnvs(set, first, count) {
      const ended = book(episodes, nextOptions, set, first, count);
      for (let n = first; n < first + count; n++) episodes[n].lastRows = set;
      return ended;
    },
    rowStates: (first, count) =>
      episodes.slice(first, first + count).map((episode, k) => ({
        ...rowStateOf(episode, nextOptions),
        ...(typeof episode.lastRows === 'number' ? readRows(episode.lastRows, first + k) : episode.lastRows),
      })),
    setRowStates(states) {
      nextOptions = states[0].envOptions?.next ?? null;
      for (const [n, state] of states.entries()) adopt(episodes[n], state);
    },
    adoptEnvStates(envStates) {
      for (const [n, envState] of envStates.entries()) {
        if (envState !== null) Object.assign(episodes[n], { envState, actions: [] });
      }
    },
    restartRows(rows) {
      for (const n of rows) restart(episodes[n]);
    },
    get nextOptions() {
      return nextOptions;
    },
    setNextOptions(options) {
      nextOptions = options;
    },
  };
}

/** Books steps of environments [first, first + count): actions, rewards, ends. */
function createBooking(
  buffer: ArrayBufferLike,
  layout: AgentsPlan['layout'],
  summarize: ReturnType<typeof createSummary>,
) {
  const { rolloutLength: T, seats } = layout;
  const S = seats.names.length;
  const A = seats.actionStride;
  const envSets = layout.envs.map((_, set) => openEnvColumns(buffer, layout, set));
  return (
    episodes: readonly RunningEpisode[],
    nextOptions: JsonObject | null,
    set: number,
    first: number,
    count: number,
  ): EndedEpisode[] => {
    const { actions, rewards, outcomes, ends, players } = envSets[set];
    const ended: EndedEpisode[] = [];
    for (let n = first; n < first + count; n++) {
      const episode = episodes[n];
      for (let t = 0; t < T; t++) {
        const at = n * T + t;
        for (let k = 0; k < A; k++) episode.actions.push(actions[at * A + k]);
        for (let s = 0; s < S; s++) episode.returns[s] += rewards[at * S + s];
        episode.numSteps += 1;
        if (ends[at] === 0) continue;
        const [from, end] = [at * S, (at + 1) * S];
        const told = [outcomes.subarray(from, end), players.subarray(from, end)] as const;
        ended.push({ t, summary: summarize(n, episode, ...told) });
        episode.number += 1;
        episode.envOptions = nextOptions;
        restart(episode);
      }
    }
    return ended;
  };
}

function adopt(episode: RunningEpisode, state: RowState): void {
  episode.number = state.episodeNumber;
  episode.numSteps = state.episodeStep;
  episode.envState = state.envState;
  episode.envOptions = state.envOptions?.running ?? null;
  episode.actions = [...state.actions];
  episode.returns.set(state.agentReturns ?? []);
  const { observation, agents } = state;
  episode.lastRows = {
    observation: observation === null ? null : Float32Array.from(observation),
    ...(agents === undefined ? {} : { agents }),
  };
}

function rowStateOf(
  { number, numSteps, returns, envState, envOptions, actions }: RunningEpisode,
  nextOptions: JsonObject | null,
): Omit<RowState, 'observation' | 'agents'> {
  return {
    episodeNumber: number,
    episodeStep: numSteps,
    episodeReturn: returns.reduce((sum, value) => sum + value, 0),
    envState,
    actions: Float32Array.from(actions),
    agentReturns: [...returns],
    ...(nextOptions !== null && { envOptions: { running: envOptions ?? {}, next: nextOptions } }),
  };
}

function createSummary(
  names: readonly string[],
  policies: AgentsPlan['policies'],
  learns: readonly boolean[],
) {
  return (
    n: number,
    episode: RunningEpisode,
    outcomes: Float32Array,
    players: Int32Array,
  ): EpisodeSummary => {
    const agents = names.map((agent, s): AgentSummary => {
      const outcome = Number.isNaN(outcomes[s]) ? null : outcomes[s];
      return { agent, policy: policies[players[s]].name, episodeReturn: episode.returns[s], outcome };
    });
    const counted = agents.filter((_, s) => learns[players[s]]);
    const sum = (counted.length > 0 ? counted : agents).reduce(
      (total, { episodeReturn }) => total + episodeReturn,
      0,
    );
    return { envIndex: n, episodeReturn: sum, episodeLength: episode.numSteps, agents };
  };
}

function restart(episode: RunningEpisode): void {
  episode.numSteps = 0;
  episode.returns.fill(0);
  episode.envState = null;
  episode.actions = [];
}

function createRowReader(buffer: ArrayBufferLike, layout: AgentsPlan['layout']) {
  const sets = layout.envs.map((_, set) =>
    layout.seats.groups.map((_group, g) => openGroup(buffer, layout, g, set)),
  );
  return (set: number, n: number): EnvRows => ({
    observation: readObservation(sets[set], layout, n),
    agents: readSeats(sets[set], layout, n),
  });
}

/** What a rollout left the seats of an environment with. */
function readSeats(
  groups: readonly GroupViews[],
  { seats, criticSizes }: AgentsPlan['layout'],
  n: number,
): readonly SeatState[] {
  return seats.groupOf.map((g, s) => {
    const { seats: members, observationSize, maskSize, actionSize } = seats.groups[g];
    const { rollout, rowStates, ticks, criticInputs } = groups[g];
    const Z = criticSizes[g];
    const row = n * members.length + seats.placeOf[s];
    const fields = [...rowStates.subarray(row * RowField.COUNT, (row + 1) * RowField.COUNT)];
    if (fields[RowField.OPEN] < 0) return { fields, step: null };
    const i = row * rollout.rolloutLength + fields[RowField.OPEN];
    return {
      fields,
      step: {
        observation: rollout.observations.slice(i * observationSize, (i + 1) * observationSize),
        mask: rollout.actionMasks.slice(i * maskSize, (i + 1) * maskSize),
        criticInput: criticInputs.slice(i * Z, (i + 1) * Z),
        action: rollout.actions.slice(i * actionSize, (i + 1) * actionSize),
        logProb: rollout.logProbs[i] ?? 0, // off-policy there are none
        value: rollout.values[i] ?? 0,
        tick: ticks[i],
      },
    };
  });
}

/** What the seats of an environment see, one after the other: [sum of obsSize] f32. */
function readObservation(
  groups: readonly GroupViews[],
  { seats }: AgentsPlan['layout'],
  n: number,
): Float32Array {
  const seen: number[] = [];
  for (const [s, g] of seats.groupOf.entries()) {
    const { seats: members, observationSize } = seats.groups[g];
    const { bootstrapObservations } = groups[g].rollout;
    const row = n * members.length + seats.placeOf[s];
    for (let k = 0; k < observationSize; k++) seen.push(bootstrapObservations[row * observationSize + k]);
  }
  return Float32Array.from(seen);
}
