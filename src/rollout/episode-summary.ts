/** What is told of an episode that has ended. */

/** One finished episode, in the order (t, environment) of the rollout it ended in. */
export interface EpisodeSummary {
  readonly envIndex: number;
  /** Undiscounted sum of raw rewards. */
  readonly episodeReturn: number;
  /** Environment steps. */
  readonly episodeLength: number;
}
