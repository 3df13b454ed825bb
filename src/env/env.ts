/** The environment a user writes: one episode at a time, as in Gymnasium. */
import type { JsonObject, JsonValue } from '../json.ts';
import type { Space } from './spaces.ts';

/** Free-form extras of a step. `actionMask` and `metrics` have a meaning; the rest is carried to evaluation only. */
export interface Info {
  /**
   * 1 = allowed, 0 = forbidden, for the NEXT action. Length: `n` for Discrete(n), the sum of `nvec` for
   * MultiDiscrete, component after component. Needs `masksActions: true` on the environment; without it, a mask is an error.
   */
  readonly actionMask?: ArrayLike<number>;
  /** Numbers averaged over the iteration into `env/<name>` metrics. */
  readonly metrics?: Readonly<Record<string, number>>;
  readonly [key: string]: unknown;
}

export interface ResetOptions {
  /** Unsigned 32-bit seed of the episode that begins; every random draw of the episode must come from it. */
  readonly seed?: number;
  readonly options?: JsonObject;
}

export interface ResetResult<Observation = unknown> {
  readonly observation: Observation;
  readonly info?: Info;
}

export interface StepResult<Observation = unknown> {
  readonly observation: Observation;
  readonly reward: number;
  /** A terminal state of the task was reached: nothing follows, the value of what follows is 0. */
  readonly terminated: boolean;
  /** The episode was cut from outside (a time limit): the learner bootstraps from `observation`. */
  readonly truncated: boolean;
  readonly info?: Info;
}

/**
 * Observations that are the last `numFrames` of the same episode, the first one repeated after a reset, oldest first; `groupSize`
 * elements of a frame lie together (a pixel's channels, or a whole frame that is no image).
 */
export interface FrameStack {
  readonly numFrames: number;
  readonly groupSize: number;
}

/** An RGB picture, row by row from the top left, 3 bytes a pixel. */
export interface RgbFrame {
  readonly width: number;
  readonly height: number;
  readonly pixels: Uint8Array; // [height, width, 3] u8
}

/**
 * One environment. Only the two spaces, `reset` and `step` are required.
 *
 * Observations may be returned in the same array every step: they are copied at once.
 */
export interface Env<Observation = unknown, Action = unknown> {
  readonly observationSpace: Space;
  readonly actionSpace: Space;
  /** Declares that `info.actionMask` comes with every reset and step; its size must be known before the first reset. */
  readonly masksActions?: boolean;
  /** Steps after which an episode is truncated from outside; absent or null = no limit. */
  readonly maxEpisodeSteps?: number | null;
  /** Set by the wrapper `frameStack`: a replay buffer then keeps each frame once. */
  readonly frameStack?: FrameStack;
  reset(options?: ResetOptions): ResetResult<Observation>;
  step(action: Action): StepResult<Observation>;
  /** Everything needed to go on in mid-episode; plain JSON. With `setState`, resume does not have to replay the episode. */
  getState?(): JsonValue;
  /** Restores what `getState` gave; the next `step` continues from there. */
  setState?(state: JsonValue): void;
  /**
   * Of a goal environment (a Dict observation with `observation`, `achievedGoal`, `desiredGoal`): the reward of a step that led to
   * `achievedGoal` if `desiredGoal` had been wanted; for the step's own two goals, the reward that `step` gave. Both are flat. Hindsight
   * relabelling asks an instance in another thread, which is never stepped, so the answer must not depend on the instance's state. Unlike
   * Gymnasium's `compute_reward` there is no `info`: replay keeps none.
   */
  computeReward?(achievedGoal: Float32Array, desiredGoal: Float32Array): number;
  /** Beside `computeReward`, whether such a step terminates the episode; absent: relabelled episodes end where they ended. */
  computeTerminated?(achievedGoal: Float32Array, desiredGoal: Float32Array): boolean;
  /** An RGB picture, or text for a terminal. */
  render?(mode?: 'rgb' | 'ansi'): RgbFrame | string;
  /**
   * Frees what the environment holds: timers, sockets, child processes. Called once, when nobody will call it any more: at the end of a run
   * (`stop()`, in its own thread, in mid-episode), after an evaluation in environments of its own at the end of the run, when a fresh instance
   * takes its place because it failed, and by `checkEnv` and `operant check` for what the factory gave. Not when its thread is killed: it
   * hung, or the process got SIGKILL. What it throws then is ignored or a warning.
   */
  close?(): void;
}

/** What a module exports for the registry: options in, a fresh environment out. */
export type EnvFactory = (options?: JsonObject) => Env;
