/**
 * The part of a vector environment that differs from one to the next: N copies of one task, advanced one at a time.
 * {@link kernelVectorEnv} adds what is the same for all: autoreset, time limits, masks, errors, state.
 *
 * An engine with its own memory, a slow step or a process of its own implements `VectorEnv` itself.
 */
import type { EnvError } from '../errors.ts';
import type { JsonObject, JsonValue } from '../json.ts';
import type { FrameStack, RgbFrame } from './env.ts';
import type { Space } from './spaces.ts';
import type { ActionArray, ObservationArray } from './vector-env.ts';

export interface EnvKernel {
  /** Name for error messages. */
  readonly envId: string;
  readonly numEnvs: number;
  readonly observationSpace: Space;
  readonly actionSpace: Space;
  /** Steps after which an episode is truncated from outside; null = no limit. */
  readonly maxEpisodeSteps: number | null;
  /** Whether `writeMask` is there and used. */
  readonly masksActions: boolean;
  /** As `Env.frameStack`. */
  readonly frameStack?: FrameStack;
  /** What the last `step(n)` gave. Float64: exact rewards for a single environment; rollouts round to float32. */
  readonly rewards: Float64Array; // [numEnvs] f64
  readonly terminated: Uint8Array; // [numEnvs] u8
  readonly truncated: Uint8Array; // [numEnvs] u8; the kernel's own cuts, beside `maxEpisodeSteps`
  reset(n: number, seed: number): void;
  /** @param offset where the flat action of environment n begins in `actions`. */
  step(n: number, actions: ActionArray, offset: number): void;
  /** Writes the flat row of what `reset` or `step` led to. */
  writeObservation(n: number, out: ObservationArray, offset: number): void;
  /** Writes 1 = allowed, 0 = forbidden for the next action. */
  writeMask?(n: number, out: Uint8Array, offset: number): void;
  /** Reports the numbers of the last step to be averaged into metrics. */
  reportMetrics?(n: number, onMetric: (n: number, name: string, value: number) => void): void;
  /** As those of `Env`. */
  computeReward?(achievedGoal: Float32Array, desiredGoal: Float32Array): number;
  computeTerminated?(achievedGoal: Float32Array, desiredGoal: Float32Array): boolean;
  getState?(n: number): JsonValue;
  setState?(n: number, state: JsonValue): void;
  render?(n: number, mode?: 'rgb' | 'ansi'): RgbFrame | string;
  /**
   * Takes up to `numSteps` steps at once, [numSteps, actionSize], ending with the episode; as `step` called so often, and quicker.
   *
   * @returns how many were taken.
   */
  repeat?(n: number, actions: ActionArray, numSteps: number): number;
  /**
   * false = an episode cannot be led back to where it was by its seed and actions: when its environment is lost, it is cut. With `repeat` all the same, a
   * resume can lead it back. @defaultValue true
   */
  readonly isRepeatable?: boolean;
  /**
   * Puts a fresh instance of environment n in its place, to be reset next; absent = a reset does as much.
   *
   * @param failure why; one that cannot be replaced throws it.
   */
  rebuild?(n: number, failure: unknown): void;
  /** Numbers of the last reset or step that were not finite and were replaced; whoever reports them empties the list. */
  readonly clipped?: EnvError[];
  /** Where the last observation left the bounds of its space; whoever reports it puts `element` back to -1. */
  readonly outside?: { element: number; value: number };
  close?(): void;
}

/** The three arrays in which a kernel leaves what a step gave. */
export function stepResults(numEnvs: number): Pick<EnvKernel, 'rewards' | 'terminated' | 'truncated'> {
  return {
    rewards: new Float64Array(numEnvs),
    terminated: new Uint8Array(numEnvs),
    truncated: new Uint8Array(numEnvs),
  };
}

/** What an environment of ours is: options in, a kernel for `numEnvs` environments out. */
export type EnvKernelFactory = (numEnvs: number, options?: JsonObject) => EnvKernel;
