/** The threads that help with an update, as the learner sees them; whoever owns the rollout workers implements it. */
export interface ThreadTeam {
  /** Helpers, besides the main thread. */
  readonly numHelpers: number;
  /**
   * Tells every helper to call `SimdHelper.participate(threadIndex)`, threadIndex = 1 .. numHelpers, and returns at once.
   * A helper that is busy, late or dead is no error here.
   */
  start(): void;
  /** Resolves when no helper is inside `participate` any more. Called once the update is over, so that is at once. */
  finish(): Promise<void>;
  /** false once a helper's thread has ended; may be as old as the last turn of the event loop. */
  isAlive(threadIndex: number): boolean;
}
