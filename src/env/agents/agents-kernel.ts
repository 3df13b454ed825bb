/**
 * The part of an environment of several agents that differs from one to the next, and the fast path: N copies of a game in one thread,
 * advanced one at a time, which write into arrays they are given and allocate nothing. A user's {@link MultiAgentEnv} is made into one.
 */
import type { JsonObject, JsonValue } from '../../json.ts';
import type { RgbFrame } from '../env.ts';
import type { ObservationArray } from '../vector-env.ts';
import type { AgentSpaces } from './multi-agent-env.ts';

/** A seat, by name. */
export type AgentSeat = AgentSpaces & { readonly name: string };

/** How an episode, or an agent's part in it, ended. */
export const AgentEnd = { NONE: 0, TERMINATED: 1, TRUNCATED: 2 } as const;

/** What the last `reset(n)` or `step(n)` gave, by seat; overwritten by the next one, of whichever environment. S = number of seats. */
export interface SeatResults {
  readonly rewards: Float64Array; // [S] f64; 0 after a reset
  /** 1 = acts next. */
  readonly acting: Uint8Array; // [S] u8
  /** {@link AgentEnd} of this agent alone, while the episode goes on or with it. One that acts next all the same begins its next life. */
  readonly ended: Uint8Array; // [S] u8
  /** Above 0 = won, below = lost; NaN = not told. */
  readonly outcomes: Float64Array; // [S] f64
  /** {@link AgentEnd} of the whole episode: it is the end of every agent that has not its own. */
  episodeEnd: number;
}

export interface InitialState {
  readonly state: JsonValue;
  readonly probability: number;
}

export interface AgentsKernel {
  /** Name for error messages. */
  readonly envId: string;
  readonly numEnvs: number;
  readonly seats: readonly AgentSeat[];
  /** Steps after which an episode is truncated from outside; null = no limit. */
  readonly maxEpisodeSteps: number | null;
  readonly results: SeatResults;
  /** Elements of the central state (`MultiAgentEnv.state`), with `writeState`; absent = there is none. */
  readonly stateSize?: number;
  reset(n: number, seed: number): void;
  /**
   * @param actions f32; the flat action of seat s, whole numbers of discrete spaces included, begins at `offset + actionOffsets[s]`
   *   (see `SeatLayout`); of seats that do not act it is not read.
   */
  step(n: number, actions: Float32Array, offset: number): void;
  /** Writes seat s's flat observation of what the last reset or step of environment n led to. */
  writeObservation(n: number, s: number, out: ObservationArray, offset: number): void;
  /** Of a seat that was truncated and begins its next life at once: the last observation of the one before. Absent = `writeObservation`. */
  writeFinalObservation?(n: number, s: number, out: ObservationArray, offset: number): void;
  /** Writes 1 = allowed, 0 = forbidden for the next action of seat s. Of seats that declare `masksActions`. */
  writeMask?(n: number, s: number, out: Uint8Array, offset: number): void;
  /** Writes where the last reset or step of environment n led, all of it: [stateSize] f32; after an end, the episode's last. */
  writeState?(n: number, out: Float32Array, offset: number): void;
  /** Reports the numbers of the last step to be averaged into metrics. */
  reportMetrics?(n: number, onMetric: (name: string, value: number) => void): void;
  /** Every state that a reset may lead to, as `getState` gives it, and how likely: of games whose chance ends with the reset. */
  readonly initialStates?: readonly InitialState[];
  getState?(n: number): JsonValue;
  /** Restores environment n; `results.acting` then says who acts next. */
  setState?(n: number, state: JsonValue): void;
  render?(n: number, mode?: 'rgb' | 'ansi'): RgbFrame | string;
  close?(): void;
}

/** What a game of ours is: options in, a kernel for `numEnvs` environments out. */
export type AgentsKernelFactory = (numEnvs: number, options?: JsonObject) => AgentsKernel;

export function seatResults(numSeats: number): SeatResults {
  return {
    rewards: new Float64Array(numSeats),
    acting: new Uint8Array(numSeats),
    ended: new Uint8Array(numSeats),
    outcomes: new Float64Array(numSeats).fill(Number.NaN),
    episodeEnd: AgentEnd.NONE,
  };
}

/** Before a reset or step is written: nobody acts, nothing was given, nothing ended. */
export function clearResults(results: SeatResults): void {
  const { rewards, acting, ended, outcomes } = results;
  // a loop: four calls of fill() take longer than a step of a small game
  for (let s = 0; s < rewards.length; s++) {
    rewards[s] = 0;
    acting[s] = 0;
    ended[s] = 0;
    outcomes[s] = Number.NaN;
  }
  results.episodeEnd = AgentEnd.NONE;
}

/** Tells a kernel's factory result from an environment of a single agent. */
export function isAgentsKernel(value: unknown): value is AgentsKernel {
  const { seats, results } = Object(value) as Partial<AgentsKernel>;
  return Array.isArray(seats) && typeof results === 'object';
}
