/** The fast path: N environments in one thread that write into rows they are given and allocate nothing. */
import type { JsonObject, JsonValue } from '../json.ts';
import type { FrameStack, RgbFrame } from './env.ts';
import type { EnvFaultHandling } from './env-faults.ts';
import type { Space } from './spaces.ts';

/**
 * What happens when an episode ends (Gymnasium's names).
 *
 * - `same-step`: the row after the end holds the new episode's first observation; the true last one goes to
 *   `finalObservations`. What rollouts use: no row is wasted.
 * - `next-step`: the row holds the true last observation; the NEXT step ignores its action, resets, and gives reward 0.
 * - `disabled`: the row holds the last observation and the caller resets it with {@link VectorEnv.resetRows}.
 */
export type AutoresetMode = 'same-step' | 'next-step' | 'disabled';

/** Rows of flat observations: `Float32Array`, or `Uint8Array` for image spaces. */
export type ObservationArray = Float32Array | Uint8Array;

/** Flat actions: int32 indices for discrete spaces (0-based, before `start`), float32 for Box. */
export type ActionArray = Float32Array | Int32Array;

/**
 * Where one vector step is written. The arrays are the caller's (usually a rollout in shared memory); the
 * offsets and strides are in elements and may change between calls. Row n's
 *  - observation lies at `observationOffset + n * observationStride`, `obsSize` elements long;
 *  - reward, terminated and truncated lie at `scalarOffset + n * scalarStride`;
 *  - action mask lies at `maskOffset + n * maskStride`, when there is one.
 */
export interface StepRows {
  observations: ObservationArray;
  observationOffset: number;
  observationStride: number;
  rewards: Float32Array;
  terminated: Uint8Array;
  truncated: Uint8Array;
  scalarOffset: number;
  scalarStride: number;
  actionMasks: Uint8Array | null;
  maskOffset: number;
  maskStride: number;
  /** [numRows, obsSize], same dtype as observations. Row n is written only when its episode ended in this step. */
  finalObservations: ObservationArray;
  /** Receives the numbers of `info.metrics`; n is the row. */
  onMetric: ((n: number, name: string, value: number) => void) | null;
}

/**
 * N environments stepped together. Rows are agents: a single-agent environment has `numRows === numEnvs`.
 *
 * Thread: lives in one thread; nothing here is shared.
 */
export interface VectorEnv {
  readonly numEnvs: number;
  readonly numRows: number;
  /** The policy that acts for each row; null = `'default'` for all. */
  readonly policyOf: readonly string[] | null;
  /** Spaces of one row. */
  readonly observationSpace: Space;
  readonly actionSpace: Space;
  /** Elements of one row's action mask; 0 = no masks. */
  readonly actionMaskSize: number;
  /** Steps after which it truncates an episode; null = never, absent = it does not say. */
  readonly maxEpisodeSteps?: number | null;
  /** As `Env.frameStack`. */
  readonly frameStack?: FrameStack;
  readonly autoreset: AutoresetMode;
  /** Starts an episode in every environment. Writes observations and masks only. @param seeds u32 [numEnvs]. */
  reset(seeds: Uint32Array, out: StepRows): void;
  /**
   * One step in every environment.
   *
   * @param actions [numRows, actionSize], i32 or f32 after the action space's kind; Box actions lie within bounds.
   * @param nextSeeds u32 [numEnvs]; seed of the episode that begins if environment n ends now (same-step, next-step).
   */
  step(actions: ActionArray, nextSeeds: Uint32Array, out: StepRows): void;
  /** Starts new episodes where `mask[n]` is 1; for mode `disabled` and for a single bad environment. */
  resetRows(mask: Uint8Array, seeds: Uint32Array, out: StepRows): void;
  /** State of environment n in mid-episode, as plain JSON; absent = not supported. May return null for "not this one". */
  getState?(n: number): JsonValue;
  /** Restores environment n, and writes its current observation (and mask) into `out`. */
  setState?(n: number, state: JsonValue, out: StepRows): void;
  /**
   * Brings environment n to the middle of an episode by repeating `numSteps` actions ([numSteps, actionSize], as `step`
   * takes them) after a reset with `seed`, or, with null, from where it stands; then writes its current observation (and
   * mask) into `out`.
   *
   * @returns false when the episode ended on the way: the environment is not deterministic.
   */
  replay?(n: number, seed: number | null, actions: ActionArray, numSteps: number, out: StepRows): boolean;
  /** Reward of the last step that environment n took, by `step` or by `replay`. */
  lastReward?(n: number): number;
  /** Only of environments that answer later: what is awaited before `reset`, `resetRows`, `step` and `replay` are called. */
  readonly deferred?: DeferredRows;
  render?(n: number, mode?: 'rgb' | 'ansi'): RgbFrame | string;
  close?(): void;
}

/**
 * What is awaited, environment by environment, of those that answer later; the call of the vector environment that follows takes what came of it, at once,
 * and throws what went wrong. Environments are independent: any of them may be asked while others think, and one that has answered goes on alone.
 * No promise of these is ever rejected.
 */
export interface DeferredRows {
  /** Before `reset` and `resetRows`. */
  reset(n: number, seed: number): Promise<void>;
  /** Before `step` and `stepRow`: environment n's own part of them, the reset behind an end included. */
  step(n: number, actions: ActionArray, nextSeed: number): Promise<void>;
  /** Before `replay`. */
  replay(n: number, seed: number | null, actions: ActionArray, numSteps: number): Promise<void>;
  /** `step` for environment n alone. */
  stepRow(n: number, actions: ActionArray, nextSeeds: Uint32Array, out: StepRows): void;
}

/**
 * What a module exports beside (or instead of) an {@link EnvFactory} for the fast path.
 *
 * @param faults how to go on when an environment fails, for those that can; absent = its error is thrown.
 */
export type VectorEnvFactory = (
  numEnvs: number,
  options?: JsonObject,
  faults?: EnvFaultHandling,
) => VectorEnv;
