/** What is told of an episode that has ended. */

/** One finished episode, in the order (t, environment) of the rollout it ended in. */
export interface EpisodeSummary {
  readonly envIndex: number;
  /** Undiscounted sum of raw rewards. */
  readonly episodeReturn: number;
  /** Environment steps. */
  readonly episodeLength: number;
  /** Where there are several agents: each one's part. `episodeReturn` is then the sum over those that learn (over all, where none does). */
  readonly agents?: readonly AgentSummary[];
}

/** One agent's part in a finished episode. */
export interface AgentSummary {
  readonly agent: string;
  readonly policy: string;
  /** Undiscounted sum of raw rewards. */
  readonly episodeReturn: number;
  /** As the environment's `info.outcome` says; null = it does not. */
  readonly outcome: number | null;
}
