/** How a member of a league stands, as it is told to people. */

/** A member as it is told: in `league.json` of the run folder, and by `train()`. */
export type LeagueRow = {
  readonly name: string;
  readonly kind: 'learner' | 'exploiter' | 'past' | 'anchor';
  /** At whose end it was kept; of the learner, the last one; of an exploiter, that at whose end it was kept last, or began. */
  readonly iteration: number;
  readonly rating: number;
  /** Half of the 95% interval. */
  readonly margin: number;
  /** Games of the learner against it, and what the learner made of them. */
  readonly games: number;
  readonly wins: number;
  readonly draws: number;
  readonly losses: number;
  /** The first 16 digits of the SHA-256 of its weights; null = it is no network of this run. */
  readonly checksum: string | null;
};
