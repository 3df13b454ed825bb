/** The environment a user writes for several agents: one episode at a time, records by the agents' names. */
import type { JsonObject, JsonValue } from '../../json.ts';
import type { ResetOptions, RgbFrame } from '../env.ts';
import type { Space } from '../spaces.ts';

/** What one agent sees and does. Agents with equal spaces and masks may share a policy. */
export interface AgentSpaces {
  readonly observationSpace: Space;
  readonly actionSpace: Space;
  /** Declares that `actionMasks` has this agent's mask whenever it acts next. */
  readonly masksActions?: boolean;
}

/** true or false = everybody, and with them the episode; a record = these agents alone, the episode goes on. */
export type AgentFlags = boolean | Readonly<Record<string, boolean>>;

/** Free-form extras. `outcome` and `metrics` have a meaning; nothing else is read. */
export interface AgentsInfo {
  /**
   * How the episode ended for an agent, where that is another question than its rewards: above 0 = won, 0 = drawn, below 0 = lost.
   * With the step that ends the episode.
   */
  readonly outcome?: Readonly<Record<string, number>>;
  /** Numbers averaged over the iteration into `env/<name>` metrics. */
  readonly metrics?: Readonly<Record<string, number>>;
  readonly [key: string]: unknown;
}

export interface AgentsReset {
  /** By agent. Whoever acts next needs one; others may have one (the last one of a truncated agent). */
  readonly observations: Readonly<Record<string, unknown>>;
  /**
   * Who acts next. An agent that ended in this very step and stands here begins its next life at once. @defaultValue every agent in
   * `observations` that has not ended
   */
  readonly acting?: readonly string[];
  /** 1 = allowed, 0 = forbidden for the next action, of agents that declare `masksActions` and act next. */
  readonly actionMasks?: Readonly<Record<string, ArrayLike<number>>>;
  readonly info?: AgentsInfo;
}

export type AgentsStep = AgentsReset & {
  /**
   * What this step gave, for anybody: an agent's reward belongs to its own last action, whoever acted now. Absent = 0. What an agent gets
   * before its first action, or after its end, counts in its return and is learnt from by nobody.
   */
  readonly rewards?: Readonly<Record<string, number>>;
  /** A terminal state was reached: nothing of value follows. */
  readonly terminated: AgentFlags;
  /** Cut from outside: an agent bootstraps from its last observation, in this result, which it must therefore have if it has acted. */
  readonly truncated: AgentFlags;
  /** The last observation of an agent that is truncated, where `observations` already has the first one of its next life. */
  readonly finalObservations?: Readonly<Record<string, unknown>>;
};

/**
 * An environment of several agents. `agents`, `reset` and `step` are required.
 *
 * `agents` names every seat that there may be. Who acts next is who has an observation (or stands in `acting`): everybody at once, one after
 * the other, or anything between. An agent comes with its first observation, and goes with its own `terminated` or `truncated`; a
 * name that comes back after that is a new life, to which nothing before it belongs. The episode ends with `true` for all, or when all
 * who have come are gone and nobody acts next.
 *
 * Observations may be returned in the same array every step: they are copied at once.
 */
export interface MultiAgentEnv {
  readonly agents: Readonly<Record<string, AgentSpaces>>;
  /** Steps of the environment after which an episode is truncated from outside; absent = no limit. */
  readonly maxEpisodeSteps?: number;
  /** What `state` gives; without both of them there is no central critic. */
  readonly stateSpace?: Space;
  reset(options?: ResetOptions): AgentsReset;
  /** @param actions of the agents that act in this step, and of no others. */
  step(actions: Readonly<Record<string, unknown>>): AgentsStep;
  /** The observation of an agent that does not act next; asked for where `maxEpisodeSteps` cuts an episode and an agent has acted in it. */
  observe?(agent: string): unknown;
  /**
   * All there is to know of where the last `reset`, `step` or `setState` led, whoever sees how much of it; after an end, the episode's last. A
   * central critic learns with it in sight (`critic: 'central'`); nobody who acts ever sees it.
   */
  state?(): unknown;
  /** Everything needed to go on in mid-episode; plain JSON. With `setState`, resume does not have to replay the episode. */
  getState?(): JsonValue;
  /** Restores what `getState` gave; the next `step` continues from there. */
  setState?(state: JsonValue): void;
  render?(mode?: 'rgb' | 'ansi'): RgbFrame | string;
  close?(): void;
}

/** What a module exports: options in, a fresh environment out. */
export type MultiAgentEnvFactory = (options?: JsonObject) => MultiAgentEnv;

/** Tells an environment of several agents from one of a single agent. */
export function isMultiAgentEnv(value: unknown): value is MultiAgentEnv {
  const { agents, reset, step } = Object(value) as Partial<Record<keyof MultiAgentEnv, unknown>>;
  return (
    typeof agents === 'object' && agents !== null && typeof reset === 'function' && typeof step === 'function'
  );
}
