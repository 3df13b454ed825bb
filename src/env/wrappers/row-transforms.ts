/**
 * What a wrapper does to observations or actions, as flat rows: one statement that serves a single environment (`transform-env.ts`) and
 * N of them that are stepped together (`transform-vector-env.ts`).
 */
import type { JsonValue } from '../../json.ts';
import type { FrameStack } from '../env.ts';
import type { Space } from '../spaces.ts';
import type { ActionArray, ObservationArray } from '../vector-env.ts';

/** What an observation becomes. */
export interface ObservationTransform {
  /** Of what it becomes. */
  readonly space: Space;
  /** As `Env.frameStack`. */
  readonly frameStack?: FrameStack;
  /** With memory for `numRows` rows, each of which is one environment's. */
  open(numRows: number): ObservationRows;
}

export interface ObservationRows {
  /** Writes what is seen of row n at `out[outAt ..]`, from what its environment shows at `from[at ..]`. Allocates nothing. */
  write(n: number, from: ObservationArray, at: number, out: ObservationArray, outAt: number): void;
  /** Of those that remember: takes in an episode's first observation, before it is written. */
  begin?(n: number, from: ObservationArray, at: number): void;
  /** Of those that remember: takes in what a step led to, before it is written. */
  advance?(n: number, from: ObservationArray, at: number): void;
  getState?(n: number): JsonValue;
  setState?(n: number, state: JsonValue): void;
}

/** From what an action of a policy is to what the environment gets. */
export interface ActionTransform {
  /** Of the policy's actions. */
  readonly space: Space;
  open(numRows: number): ActionRows;
}

export interface ActionRows {
  /** Writes what row n's environment gets at `out[outAt ..]`, from the policy's action at `from[at ..]`. Allocates nothing. */
  write(n: number, from: ActionArray, at: number, out: ActionArray, outAt: number): void;
  /** Of those that remember: an episode begins. @param seed of the episode. */
  begin?(n: number, seed: number): void;
  getState?(n: number): JsonValue;
  setState?(n: number, state: JsonValue): void;
}

/** What a transform is made for. */
export interface TransformedEnv {
  readonly observationSpace: Space;
  readonly actionSpace: Space;
  readonly maxEpisodeSteps?: number | null;
  readonly masksActions?: boolean;
}
