/** The state of environments between two rollouts: enough to continue them anywhere, in any thread. */
import type { ActionArray } from '../env/vector-env.ts';
import type { JsonObject, JsonValue } from '../json.ts';
import type { SeatState } from './agents/agents-plan.ts';

/**
 * One environment between two rollouts. Plain data: it is posted to workers and written to checkpoints.
 *
 * The running episode follows from its seed and its actions, or from a state in the middle of it (the environment's
 * `getState`) and the actions after that.
 */
export interface RowState {
  /** Episodes begun so far minus one: the number of the running episode. */
  readonly episodeNumber: number;
  /** Steps taken in the running episode. */
  readonly episodeStep: number;
  /** Sum of raw rewards of the running episode so far. */
  readonly episodeReturn: number;
  /** What `getState` gave at some step of the episode; null = the episode's beginning. */
  readonly envState: JsonValue;
  /** Stored (unmapped) actions from there on, [steps since envState, A]. */
  readonly actions: ActionArray;
  /** The observation that the next action is for, to check a replay; null = do not check. */
  readonly observation: Float32Array | Uint8Array | null; // [obsSize]
  /** What its running episode has, and those after it will have, laid over the environment's options; absent = these never change. */
  readonly envOptions?: EpisodeOptions;
  /** What a recurrent policy remembers of the episode; null or absent: nothing yet. */
  readonly recurrentState?: Float32Array | null; // [S] f32
  /**
   * Of an environment of several agents, by seat; absent = it has one. `actions` are then those of all seats, f32 [steps, A], `observation`
   * what each seat saw, one after the other, f32.
   */
  readonly agents?: readonly SeatState[]; // [S]
  /** Sum of raw rewards of the running episode by seat, where there are several. */
  readonly agentReturns?: readonly number[]; // [S]
}

/** Options of a row's episodes, laid over those of the environment. */
export interface EpisodeOptions {
  readonly running: JsonObject;
  readonly next: JsonObject;
}

export const FRESH_ROW: RowState = {
  episodeNumber: 0,
  episodeStep: 0,
  episodeReturn: 0,
  envState: null,
  actions: new Int32Array(0),
  observation: null,
};

/** The same states, the episodes after the running ones with these options. */
export function withNextOptions(states: readonly RowState[], next: JsonObject): RowState[] {
  return states.map((state) => ({
    ...state,
    envOptions: { running: state.envOptions?.running ?? {}, next },
  }));
}

/** The same states with what the environments gave just now: the actions up to there are no longer needed. */
export function withEnvStates(states: readonly RowState[], envStates: readonly JsonValue[]): RowState[] {
  return states.map((state, n) => {
    const envState = envStates[n] ?? null;
    return envState === null ? state : { ...state, envState, actions: state.actions.slice(0, 0) };
  });
}
