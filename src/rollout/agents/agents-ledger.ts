/** The main thread's book of running episodes of several agents, kept from what rollouts say: enough to replay every one of them. */
import type { JsonObject, JsonValue } from '../../json.ts';
import type { AgentSummary, EpisodeSummary } from '../episode-summary.ts';
import type { RowState } from '../row-states.ts';
import { openEnvColumns, openGroup, RowField } from './agents-layout.ts';
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
}

export interface AgentsLedger {
  /** Books the finished rollout of block set `set`; returns the episodes that ended in it, in the order (t, environment). */
  absorb(set: number): EpisodeSummary[];
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
  const { numEnvs, rolloutLength: T, seats } = layout;
  const S = seats.names.length;
  const A = seats.actionStride;
  const envSets = layout.envs.map((_, set) => openEnvColumns(buffer, layout, set));
  /** Seats after the last rollout, by environment; null = before the first one. */
  let seatStates: readonly (readonly SeatState[])[] | null = null;
  let observations: readonly (Float32Array | null)[] = [];
  const episodes: RunningEpisode[] = Array.from({ length: numEnvs }, () => ({
    number: 0,
    numSteps: 0,
    returns: new Float64Array(S),
    envState: null,
    envOptions,
    actions: [],
  }));
  let nextOptions = envOptions;
  const summarize = createSummary(seats.names, policies, learns);
  return {
    absorb(set) {
      const ended: EpisodeSummary[] = [];
      for (let t = 0; t < T; t++) {
        for (let n = 0; n < numEnvs; n++) {
          const at = n * T + t;
          const { actions, rewards, outcomes, ends, players } = envSets[set];
          const episode = episodes[n];
          for (let k = 0; k < A; k++) episode.actions.push(actions[at * A + k]);
          for (let s = 0; s < S; s++) episode.returns[s] += rewards[at * S + s];
          episode.numSteps += 1;
          if (ends[at] === 0) continue;
          const [first, end] = [at * S, (at + 1) * S];
          ended.push(summarize(n, episode, outcomes.subarray(first, end), players.subarray(first, end)));
          episode.number += 1;
          episode.envOptions = nextOptions;
          restart(episode);
        }
      }
      ({ seatStates, observations } = readSeats(buffer, layout, set));
      return ended;
    },
    rowStates: (first, count) =>
      episodes.slice(first, first + count).map((episode, k) => ({
        ...rowStateOf(episode, nextOptions),
        observation: observations[first + k] ?? null,
        ...(seatStates === null ? {} : { agents: seatStates[first + k] }),
      })),
    setRowStates(states) {
      nextOptions = states[0].envOptions?.next ?? null;
      seatStates = states.every(({ agents }) => agents !== undefined)
        ? states.map(({ agents = [] }) => agents)
        : null;
      observations = states.map(({ observation }) =>
        observation === null ? null : Float32Array.from(observation),
      );
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

function adopt(episode: RunningEpisode, state: RowState): void {
  episode.number = state.episodeNumber;
  episode.numSteps = state.episodeStep;
  episode.envState = state.envState;
  episode.envOptions = state.envOptions?.running ?? null;
  episode.actions = [...state.actions];
  episode.returns.set(state.agentReturns ?? []);
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

/** What a rollout left every seat with, and what each one sees, [sum of obsSize] f32 by environment. */
function readSeats(buffer: ArrayBufferLike, layout: AgentsPlan['layout'], set: number) {
  const { numEnvs, seats } = layout;
  const groups = seats.groups.map((_, g) => openGroup(buffer, layout, g, set));
  const seatStates: SeatState[][] = [];
  const observations: Float32Array[] = [];
  for (let n = 0; n < numEnvs; n++) {
    const seen: number[] = [];
    seatStates.push(
      seats.groupOf.map((g, s) => {
        const { seats: members, observationSize, maskSize, actionSize } = seats.groups[g];
        const { rollout, rowStates, ticks, criticInputs } = groups[g];
        const Z = layout.criticSizes[g];
        const row = n * members.length + seats.placeOf[s];
        for (let k = 0; k < observationSize; k++)
          seen.push(rollout.bootstrapObservations[row * observationSize + k]);
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
      }),
    );
    observations.push(Float32Array.from(seen));
  }
  return { seatStates, observations };
}
