/**
 * The main thread's book of running episodes, kept from what rollouts say: enough to replay every one of them.
 *
 * Because episodes follow from seeds and actions, no worker has to be asked: a dead one can be replaced from here.
 */

import type { ActionArray } from '../env/vector-env.ts';
import type { RolloutViews } from '../experience/layout.ts';
import type { JsonObject, JsonValue } from '../json.ts';
import { recurrentStateSize } from '../policy/networks/recurrent-state.ts';
import { type ActingSpec, actionDtype, actionSize } from '../policy/policy-spec.ts';
import type { EpisodeSummary } from './episode-summary.ts';
import type { RowState } from './row-states.ts';

interface RunningEpisode {
  number: number;
  numSteps: number;
  episodeReturn: number;
  /** A state that the environment gave in mid-episode, from which `actions` go on; null = its beginning. */
  envState: JsonValue;
  /** Laid over the environment's; null = options never change. */
  envOptions: JsonObject | null;
  /** [capacity, A]; the first numActions rows count. */
  actions: ActionArray;
  numActions: number;
}

/** Elements, 4 bytes each. */
export const MANY_ACTIONS = 2 ** 20;
/** From so many elements on, a state is worth more than the actions that led to it. */
const LONG_EPISODE = 2 ** 14;

export interface EndlessEpisode {
  readonly row: number;
  readonly numSteps: number;
  readonly bytes: number;
}

export interface EpisodeLedger {
  /** Books a finished rollout; returns the episodes that ended in it, in the order (t, environment). */
  absorb(rollout: RolloutViews): EpisodeSummary[];
  /** Books rows [first, first + count) of a rollout, the others of which may not be finished. */
  absorbRows(rollout: RolloutViews, first: number, count: number): void;
  /** States of rows [first, first + count) after the last rollout, as actions to repeat. Copies. */
  rowStates(first: number, count: number): RowState[];
  setRowStates(states: readonly RowState[]): void;
  /** What the environments gave just now, null for those that give nothing: long episodes go on from there, and forget the actions before. */
  adoptEnvStates(envStates: readonly JsonValue[]): void;
  /** A running episode whose actions have come to {@link MANY_ACTIONS}, once: they lie in memory and in every checkpoint. null = none. */
  takeEndless(): EndlessEpisode | null;
  /** Rows that had to begin their running episode again. */
  restartRows(rows: readonly number[]): void;
  /** Of the episodes that begin from now on; null = options never change. */
  readonly nextOptions: JsonObject | null;
  setNextOptions(options: JsonObject): void;
}

/** @param envOptions of the first episodes, laid over the environment's; null = options never change. */
export function createEpisodeLedger(
  spec: ActingSpec,
  numRows: number,
  envOptions: JsonObject | null = null,
): EpisodeLedger {
  const A = actionSize(spec.distribution);
  const empty = (): ActionArray =>
    actionDtype(spec.distribution) === 'int32' ? new Int32Array(0) : new Float32Array(0);
  const stateSize = recurrentStateSize(spec);
  const recurrentStates = new Float32Array(numRows * stateSize); // [N, S] f32, of the running episodes
  let lastObservations: Float32Array | Uint8Array | null = null; // [N, obsSize], copy of the bootstrap observations
  const episodes = Array.from({ length: numRows }, () => firstEpisode(empty(), envOptions));
  let nextOptions = envOptions;
  const absorbRows = (rollout: RolloutViews, first: number, count: number): void => {
    const size = spec.observationSize;
    for (let n = first; n < first + count; n++) absorbRow(episodes[n], rollout, n, A, nextOptions);
    lastObservations ??= rollout.bootstrapObservations.slice();
    const part = (column: Float32Array, each: number) =>
      column.subarray(first * each, (first + count) * each);
    lastObservations.set(part(rollout.bootstrapObservations as Float32Array, size), first * size);
    recurrentStates.set(part(rollout.lastRecurrentStates, stateSize), first * stateSize);
  };
  return {
    ...longEpisodes(episodes, A, empty),
    absorb(rollout) {
      absorbRows(rollout, 0, numRows);
      return endedEpisodes(rollout, 0, numRows);
    },
    absorbRows,
    get nextOptions() {
      return nextOptions;
    },
    setNextOptions(options) {
      nextOptions = options;
    },
    rowStates(first, count) {
      const { observationSize } = spec;
      return episodes.slice(first, first + count).map((episode, k) => ({
        ...stateOf(episode, A, nextOptions),
        observation:
          lastObservations?.slice((first + k) * observationSize, (first + k + 1) * observationSize) ?? null,
        recurrentState:
          stateSize > 0 ? recurrentStates.slice((first + k) * stateSize, (first + k + 1) * stateSize) : null,
      }));
    },
    restartRows(rows) {
      for (const n of rows) {
        restart(episodes[n]);
        recurrentStates.fill(0, n * stateSize, (n + 1) * stateSize);
      }
    },
    setRowStates(states) {
      const size = spec.observationSize;
      lastObservations =
        spec.observationDtype === 'uint8' ? new Uint8Array(numRows * size) : new Float32Array(numRows * size);
      nextOptions = states[0].envOptions?.next ?? null;
      for (const [n, state] of states.entries()) {
        episodes[n] = episodeOf(state, A);
        if (state.observation !== null) lastObservations.set(state.observation, n * size);
        recurrentStates.fill(0, n * stateSize, (n + 1) * stateSize);
        if (stateSize > 0 && state.recurrentState) recurrentStates.set(state.recurrentState, n * stateSize);
      }
    },
  };
}

function firstEpisode(actions: ActionArray, envOptions: JsonObject | null): RunningEpisode {
  return {
    ...{ number: 0, numSteps: 0, episodeReturn: 0, envState: null },
    ...{ envOptions, actions, numActions: 0 },
  };
}

function episodeOf(state: RowState, A: number): RunningEpisode {
  return {
    number: state.episodeNumber,
    numSteps: state.episodeStep,
    episodeReturn: state.episodeReturn,
    envState: state.envState,
    envOptions: state.envOptions?.running ?? null,
    actions: state.actions.slice(),
    numActions: state.actions.length / A,
  };
}

function stateOf(
  episode: RunningEpisode,
  A: number,
  nextOptions: JsonObject | null,
): Omit<RowState, 'observation' | 'recurrentState'> {
  return {
    episodeNumber: episode.number,
    episodeStep: episode.numSteps,
    episodeReturn: episode.episodeReturn,
    envState: episode.envState,
    ...(nextOptions !== null && { envOptions: { running: episode.envOptions ?? {}, next: nextOptions } }),
    actions: episode.actions.slice(0, episode.numActions * A),
  };
}

function longEpisodes(
  episodes: readonly RunningEpisode[],
  A: number,
  empty: () => ActionArray,
): Pick<EpisodeLedger, 'takeEndless' | 'adoptEnvStates'> {
  let hasToldEndless = false;
  return {
    takeEndless() {
      if (hasToldEndless) return null;
      const row = episodes.findIndex((episode) => episode.numActions * A >= MANY_ACTIONS);
      if (row < 0) return null;
      hasToldEndless = true;
      return { row, numSteps: episodes[row].numSteps, bytes: episodes[row].numActions * A * 4 };
    },
    adoptEnvStates(envStates) {
      for (const [n, episode] of episodes.entries()) {
        if ((envStates[n] ?? null) === null || episode.numActions * A < LONG_EPISODE) continue;
        episode.envState = envStates[n];
        episode.actions = empty();
        episode.numActions = 0;
      }
    },
  };
}

function restart(episode: RunningEpisode): void {
  episode.numSteps = 0;
  episode.episodeReturn = 0;
  episode.envState = null;
  episode.numActions = 0;
}

function absorbRow(
  episode: RunningEpisode,
  rollout: RolloutViews,
  n: number,
  A: number,
  nextOptions: JsonObject | null,
): void {
  const { rolloutLength: T, terminated, truncated, rewards } = rollout;
  const end = (n + 1) * T;
  let begin = n * T; // first step that belongs to the running episode
  let numEnded = 0;
  for (let i = n * T; i < end; i++) {
    if (terminated[i] === 0 && truncated[i] === 0) continue;
    begin = i + 1;
    numEnded += 1;
  }
  if (numEnded > 0) {
    episode.number += numEnded;
    episode.envOptions = nextOptions;
    restart(episode);
  }
  let { episodeReturn } = episode;
  for (let i = begin; i < end; i++) episodeReturn += rewards[i];
  episode.episodeReturn = episodeReturn;
  append(episode, rollout.actions.subarray(begin * A, end * A), A);
}

/** Adds steps to a running episode's actions; capacity doubles. */
function append(episode: RunningEpisode, actions: ActionArray, A: number): void {
  const used = episode.numActions * A;
  if (used + actions.length > episode.actions.length) {
    const capacity = Math.max(used + actions.length, episode.actions.length * 2);
    const grown = actions instanceof Int32Array ? new Int32Array(capacity) : new Float32Array(capacity);
    grown.set(episode.actions.subarray(0, used));
    episode.actions = grown;
  }
  episode.actions.set(actions, used);
  episode.numActions += actions.length / A;
  episode.numSteps += actions.length / A;
}

/** Episodes of rows [first, first + count) that ended in a rollout, in the order (t, environment). */
export function endedEpisodes(rollout: RolloutViews, first: number, count: number): EpisodeSummary[] {
  const { rolloutLength: T, terminated, truncated } = rollout;
  // Sorted by counting: memory is read row by row, as it lies.
  const places = new Int32Array(T + 1); // [T + 1], of the next end at step t
  for (let n = first; n < first + count; n++)
    for (let t = 0; t < T; t++)
      if (terminated[n * T + t] !== 0 || truncated[n * T + t] !== 0) places[t + 1] += 1;
  for (let t = 0; t < T; t++) places[t + 1] += places[t];
  const ends = new Int32Array(places[T]); // flat indices
  for (let n = first; n < first + count; n++)
    for (let i = n * T; i < (n + 1) * T; i++)
      if (terminated[i] !== 0 || truncated[i] !== 0) ends[places[i - n * T]++] = i;
  return Array.from(ends, (i) => ({
    envIndex: Math.floor(i / T),
    episodeReturn: rollout.episodeReturns[i],
    episodeLength: rollout.episodeLengths[i],
  }));
}
