/** The state of environments between two rollouts: enough to continue them anywhere, in any thread. */
import type { ActionArray } from '../env/vector-env.ts';
import type { JsonValue } from '../json.ts';

/**
 * One environment between two rollouts. Plain data: it is posted to workers and written to checkpoints.
 *
 * The running episode follows from its seed and its actions; `envState` (from the environment's `getState`) is the
 * shorter way when there is one.
 */
export interface RowState {
  /** Episodes begun so far minus one: the number of the running episode. */
  readonly episodeNumber: number;
  /** Steps taken in the running episode. */
  readonly episodeStep: number;
  /** Sum of raw rewards of the running episode so far. */
  readonly episodeReturn: number;
  /** What `getState` gave; null = replay. */
  readonly envState: JsonValue;
  /** Stored (unmapped) actions of the running episode, [episodeStep, A]; empty when `envState` is given and enough. */
  readonly actions: ActionArray;
  /** The observation that the next action is for, to check a replay; null = do not check. */
  readonly observation: Float32Array | Uint8Array | null; // [obsSize]
}

export const FRESH_ROW: RowState = {
  episodeNumber: 0,
  episodeStep: 0,
  episodeReturn: 0,
  envState: null,
  actions: new Int32Array(0),
  observation: null,
};
